import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  clip,
  clock,
  code,
  escapeHtml,
  MAX_MESSAGE,
  plain,
  quote,
  splitHtml,
  time,
} from '../../../bot/render/html.ts'
import { reveal } from '../../../bot/render/unmask.ts'
import { parseHtml } from '../../../playground/parseHtml.ts'

const text = fc.string({
  unit: fc.constantFrom('a', 'word ', '\n', '<', '&', '"', 'é', '🚩', '👨‍👩‍👧'),
  maxLength: 120,
})
const tags = ['b', 'i', 'code', 'pre'] as const
const html: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      text.map(escapeHtml),
      fc.tuple(fc.constantFrom(...tags), text).map(([tag, inner]) => `<${tag}>${escapeHtml(inner)}</${tag}>`),
      text.map((inner) => quote(inner)),
      text.map((inner) => `<pre><code class="language-diff">${escapeHtml(inner)}</code></pre>`),
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((parts) => parts.join(''))

describe('splitHtml', () => {
  test('no piece is over the limit, breaks a tag or loses a character', () => {
    fc.assert(
      fc.property(html, fc.integer({ min: 16, max: 200 }), (source, max) => {
        const pieces = splitHtml(source, max)
        for (const piece of pieces) {
          expect(plain(piece).length).toBeLessThanOrEqual(max)
          // Telegram's parser takes it, and reads what `plain` does.
          expect(parseHtml(piece).text).toBe(plain(piece))
          expect(plain(piece).isWellFormed()).toBe(true)
        }
        expect(pieces.map(plain).join('').trimEnd()).toBe(plain(source).trimEnd())
      }),
    )
  })

  test('one message stays one, with its tags as they are', () => {
    const source = '<b>#12 running</b>\n<code>npm test &amp;&amp; echo</code>'
    expect(splitHtml(source)).toEqual([source])
    expect(splitHtml('x'.repeat(MAX_MESSAGE))).toHaveLength(1)
    expect(splitHtml('x'.repeat(MAX_MESSAGE + 1))).toHaveLength(2)
  })
})

describe('text that is approved is text that is read', () => {
  const hidden = [
    '\u200b',
    '\u200d',
    '\u2060',
    '\u202e',
    '\u2066',
    '\ufeff',
    '\u00ad',
    '\u0007',
    '\u001b',
    '\u3164',
    '\u{e0041}',
    '\r',
    '\u2028',
  ]

  test.each(hidden)('%j is shown by its number', (char) => {
    const shown = reveal(`rm a${char}b`)
    expect(shown).not.toContain(char)
    expect(shown).toMatch(/^rm a⟨U\+[0-9A-F]{4,6}⟩b$/)
  })

  test('what prints is left alone, emoji too', () => {
    for (const harmless of ['rm -rf dist', 'größer 数 ✅', '👨‍👩‍👧 ▶️', 'two\n\tlines'])
      expect(reveal(harmless)).toBe(harmless)
  })

  test('nothing in a text becomes a tag', () => {
    fc.assert(
      fc.property(fc.string(), (given) => {
        expect(plain(code(given))).toBe(given)
        expect(code(given).match(/</g)).toHaveLength(2)
      }),
    )
  })
})

test('clip never cuts a character in two', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 40 }), (given, max) => {
      const cut = clip(given, max)
      expect([...cut].length).toBeLessThanOrEqual(max)
      expect(cut.isWellFormed()).toBe(true)
      if (cut !== given) expect(cut.endsWith('…')).toBe(true)
    }),
  )
})

test('times are short, and the reader sees his own zone', () => {
  expect([8, 102, 3723].map((s) => clock(s * 1000))).toEqual(['0:08', '1:42', '1:02:03'])
  const at = new Date('2026-05-04T14:03:22Z')
  expect(time(at)).toBe('<tg-time unix="1777903402" format="t">14:03 UTC</tg-time>')
  expect(plain(time(at, 'T'))).toBe('14:03:22 UTC')
  expect(plain(time(at, 'wt'))).toBe('2026-05-04 14:03 UTC')
})
