/** Lines compared one by one at most; longer texts differ as blocks. */
const MAX_LINES = 400

/**
 * What has to go (`-`) and to come (`+`) to make one text of the other, in order, without the lines that stay. The
 * longest common sequence of what lies between equal beginnings and ends. Pure.
 */
export function lineDifference(old: string, fresh: string): string[] {
  const [a, b] = [old.split('\n'), fresh.split('\n')]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  return between(a.slice(head, a.length - tail), b.slice(head, b.length - tail))
}

function between(a: readonly string[], b: readonly string[]): string[] {
  if (a.length > MAX_LINES || b.length > MAX_LINES)
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)]
  const common = lengths(a, b)
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    } else if (j >= b.length || (i < a.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)))
      lines.push(`-${a[i++]}`)
    else lines.push(`+${b[j++]}`)
  }
  return lines
}

/** How many lines the ends from (i, j) on have in common. */
function lengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i]
      if (row)
        row[j] =
          a[i] === b[j] ? 1 + (table[i + 1]?.[j + 1] ?? 0) : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0)
    }
  return table
}
