import type { Colour, Picture } from './png.ts'

/** Letters five points high, most of them three wide: a digit of base 32 for each row from the top, its bits from the left. */
const glyphs: Record<string, string> = {
  ...{ '0': '75557', '1': '26227', '2': '71747', '3': '71717', '4': '55711' },
  ...{ '5': '74717', '6': '74757', '7': '71111', '8': '75757', '9': '75717' },
  ...{ A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553' },
  ...{ H: '55755', I: '72227', J: '11152', K: '55655', L: '44447', M: 'hrlhh', N: '9db99' },
  ...{ O: '25552', P: '65644', Q: '25573', R: '65655', S: '34216', T: '72222', U: '55557' },
  ...{ V: '55552', W: 'hhlrh', X: '55255', Y: '55222', Z: '71247' },
  ...{ '.': '00002', ',': '00024', '-': '00700', '/': '11244', $: '36367', ':': '02020', '%': '51245' },
}

const wide: Record<string, number> = { M: 5, N: 4, W: 5 }
const widthOf = (letter: string): number => wide[letter] ?? 3

/** How wide a text is, in points of the image. Pure. */
export const textWidth = (text: string, size: number): number =>
  Math.max(
    0,
    [...text.toUpperCase()].reduce((sum, letter) => sum + widthOf(letter) + 1, -1),
  ) * size

/** Writes a text whose upper left corner is at (x, y), each of its points `size` wide. What has no letter is left out. */
export function write(
  picture: Picture,
  text: string,
  x: number,
  y: number,
  size: number,
  colour: Colour,
): void {
  let left = x
  for (const letter of text.toUpperCase()) {
    const width = widthOf(letter)
    for (const [row, bits] of [...(glyphs[letter] ?? '')].entries())
      for (let column = 0; column < width; column++)
        if (Number.parseInt(bits, 32) & (1 << (width - 1 - column)))
          picture.fill(left + column * size, y + row * size, size, size, colour)
    left += (width + 1) * size
  }
}
