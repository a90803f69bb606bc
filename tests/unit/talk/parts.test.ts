import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Arrival, isUnfinished, joinParts, MOST_PARTS, placeText } from '../../../core/talk/parts.ts'

const arrival = (text: string, more: Partial<Arrival> = {}): Arrival => ({
  text,
  held: null,
  before: null,
  date: 1000,
  answers: false,
  ...more,
})
const held = (parts = 1, lastDate = 1000) => ({ held: { parts, lastDate } })
const soon = { before: { agoMs: 300, date: 1000 } }
const long = 'word '.repeat(800).trim()

/** As Telegram's clients part a text: at the last line or word in the second half, else anywhere. */
function telegramParts(text: string, limit = 4096): string[] {
  const parts: string[] = []
  let rest = text.trim()
  while (rest.length > limit) {
    const window = rest.slice(0, limit)
    const nice = Math.max(window.lastIndexOf('\n'), window.lastIndexOf(' '))
    const at = nice > limit / 2 ? nice : limit
    parts.push(rest.slice(0, at).trim())
    rest = rest.slice(at).trim()
  }
  return [...parts, rest]
}

describe('what waits for more', () => {
  test.each([
    ['a short request by itself', arrival('run the tests'), 'now'],
    ['a long text', arrival(long), 'hold'],
    ['a text that ends in a comma', arrival('run the tests,'), 'hold'],
    ['a text that ends in "and"', arrival('run the tests and'), 'hold'],
    ['a request right behind another', arrival('in api please', soon), 'hold'],
    [
      'a request some time after another',
      arrival('list files', { before: { agoMs: 5000, date: 995 } }),
      'now',
    ],
    [
      'requests of different minutes that arrive at once, after an absence',
      arrival('list files', { before: { agoMs: 5, date: 900 } }),
      'now',
    ],
    ['the rest of what waits', arrival('and this', held()), 'hold'],
    ['thanks at the end of it', arrival('thanks', held()), 'hold'],
    ['something sent long after what waits', arrival('list files', held(1, 900)), 'apart'],
    ['more than any text has', arrival('more', held(MOST_PARTS)), 'apart'],
    ['a short answer to what the bot asked', arrival('api', { ...soon, answers: true }), 'now'],
    ['a long answer to it', arrival(long, { answers: true }), 'hold'],
    ['small talk behind a request', arrival('thanks', soon), 'now'],
    ['a long request to /plan', arrival(`/plan ${long}`), 'hold'],
    ['a long command to /run', arrival(`/run ${long}`), 'now'],
    ['a part that begins like a command', arrival(`/etc ${long}`, held()), 'hold'],
  ] as const)('%s', (_, one, expected) => expect(placeText(one)).toBe(expected))

  test('commands, stop words and questions never wait, whatever else does', () => {
    const urgent = [
      'stop',
      'please stop!',
      'halt',
      'pause',
      'go on',
      '/cancel',
      '/run ls',
      '/status',
      'how far?',
      'why?',
    ]
    for (const text of urgent)
      for (const more of [{}, soon, held(), held(MOST_PARTS), held(1, 1)])
        expect(placeText(arrival(text, more)), text).toBe('now')
  })

  test('what is unfinished', () => {
    const open = ['do this:', 'first,', 'run the tests and', '```sh\nls', 'so…', 'then ...', 'и']
    const closed = [
      'run the tests',
      'land',
      'brand',
      '```ls```',
      'Oh.',
      'go',
      'fix the banand',
      'run the tests please',
      'mach das bitte',
      'what is it for',
    ]
    expect(open.filter((text) => !isUnfinished(text))).toEqual([])
    expect(closed.filter(isUnfinished)).toEqual([])
  })
})

describe('parts joined', () => {
  test('a text of lines and words that Telegram parts comes back with all its words, in order', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', 'é', '7', '.', '😀'),
      minLength: 1,
      maxLength: 30,
    })
    const text = fc.array(fc.tuple(word, fc.constantFrom(' ', '\n', '  ', '\n\n')), {
      minLength: 1,
      maxLength: 4000,
    })
    fc.assert(
      fc.property(text, fc.integer({ min: 100, max: 4096 }), (pieces, limit) => {
        const whole = pieces.flat().join('').trim()
        const words = (of: string) => of.split(/\s+/).filter(Boolean)
        expect(words(joinParts(telegramParts(whole, limit)))).toEqual(words(whole))
      }),
      { numRuns: 100 },
    )
  })
  test('a word longer than a message is whole again', () => {
    const whole = 'x'.repeat(10_000)
    expect(joinParts(telegramParts(whole))).toBe(whole)
  })
  test('no part is lost or doubled, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 20 }), (parts) => {
        expect(joinParts(parts)).toBe(parts.join('\n'))
      }),
    )
  })
})
