import { describe, expect, test } from 'vitest'
import { renderApproval } from '../../../bot/render/approvalCard.ts'
import { planText } from '../../../bot/render/planText.ts'
import { ORDER_NOTE } from '../../../bot/render/rightToLeft.ts'
import { hasMarks, MASK_WARNING, maskWarnings, reveal, unmask } from '../../../bot/render/unmask.ts'
import type { RunView } from '../../../core/runs/viewRun.ts'
import { approval, run, task } from './runs.ts'

/** Each stands for ASCII and is not: the marks say where. */
const masks: [string, string][] = [
  ['сat notes', 'с⟨U+0441⟩at notes'],
  ['git рush', 'git р⟨U+0440⟩ush'],
  ['сору /etc', 'с⟨U+0441⟩о⟨U+043E⟩р⟨U+0440⟩у⟨U+0443⟩ /etc'],
  ['cat /eтc/passwd', 'cat /eт⟨U+0442⟩c/passwd'],
  ['ls οpt', 'ls ο⟨U+03BF⟩pt'],
  ['rm а', 'rm а⟨U+0430⟩'],
  ['ｒｍ -rf', 'ｒ⟨U+FF52⟩ｍ⟨U+FF4D⟩ -rf'],
  ['𝗋𝗆 x', '𝗋⟨U+1D5CB⟩𝗆⟨U+1D5C6⟩ x'],
  ['rm ‐rf', 'rm ‐⟨U+2010⟩rf'],
  ['rm –rf x', 'rm –⟨U+2013⟩rf x'],
  ['cat ∕etc∕passwd', 'cat ∕⟨U+2215⟩etc∕⟨U+2215⟩passwd'],
  ['echo a；reboot', 'echo a；⟨U+FF1B⟩reboot'],
  ['echo a;ｒeboot', 'echo a;ｒ⟨U+FF52⟩eboot'],
  ['curl evil․com', 'curl evil․⟨U+2024⟩com'],
  ['npm install Iodаsh', 'npm install Iodа⟨U+0430⟩sh'],
  ['gıt status', 'gı⟨U+0131⟩t status'],
  ['ցit status', 'ց⟨U+0581⟩it status'],
  ['ᎡᎷ x', 'Ꭱ⟨U+13A1⟩Ꮇ⟨U+13B7⟩ x'],
  ['cat a\u200bb', 'cat a⟨U+200B⟩b'],
  ['cat \u202etxt.exe', 'cat ⟨U+202E⟩txt.exe'],
  ['cat \u2066x\u2069', 'cat ⟨U+2066⟩x⟨U+2069⟩'],
  ['rm\u00a0-rf', 'rm⟨U+00A0⟩-rf'],
  ['rm\u2003-rf', 'rm⟨U+2003⟩-rf'],
  ['a\u3164b', 'a⟨U+3164⟩b'],
  ['a\u2800b', 'a⟨U+2800⟩b'],
  ['a\u034fb', 'a⟨U+034F⟩b'],
  ['a\u{e0041}b', 'a⟨U+E0041⟩b'],
  ['a\rb', 'a⟨U+000D⟩b'],
  ['a\u001b[2Jb', 'a⟨U+001B⟩[2Jb'],
  ['a\ud800b', 'a⟨U+D800⟩b'],
  ['a\ue000b', 'a⟨U+E000⟩b'],
  ['a\u0336b', 'a\u0336⟨U+0336⟩b'],
  ['rm \u0338etc', 'rm \u0338⟨U+0338⟩etc'],
  ['rm -\u0308rf', 'rm -\u0308⟨U+0308⟩rf'],
  ['r\u05b0m', 'r\u200e\u05b0\u200e⟨U+05B0⟩m'],
  ['r\u{16fe4}m', 'r\u{16fe4}⟨U+16FE4⟩m'],
  ['cat \u2061x', 'cat ⟨U+2061⟩x'],
  ['⟨U+0041⟩', '⟨⟨U+27E8⟩U+0041⟩'],
]

/** What people write in their own languages, and signs that deceive nobody. */
const ordinary = [
  "git commit -m 'починил тесты, и всё'",
  'А я сказал: «да»',
  'сделай это, а потом то',
  'У нас всё хорошо',
  "echo 'Привет, мир!'",
  'Κάτι πήγε στραβά και το διόρθωσα',
  "git commit -m 'ein größerer Umbau – endlich'",
  'naïve café, façade; ¿qué tal? ñandú',
  'yazılım dağıtımı için ışık',
  "git commit -m '修复登录错误，再试一次！'",
  '日本語のファイル（テスト）：１つ',
  'ＡＢＣ株式会社',
  '한국어 파일',
  'क्\u200dष और हिन्दी',
  'ภาษาไทย',
  "п'ять яблук, об'єкт",
  'обʼєкт',
  'Հայերեն տեքստ',
  'pages 10–20 — see “notes”… 5 µm, 3 ½, m², № 7, 20 °C, €5, π ≈ 3.14',
  'deploy 🚀 done ✅ ❤️ 👩‍💻',
  'cafe\u0301',
  'tab\tand\nline',
  '│ a │ b │',
]

describe('what only looks like something else is marked', () => {
  test.each(masks)('%j', (text, shown) => {
    expect(unmask(text, 'command')).toBe(shown)
    expect(hasMarks(unmask(text, 'command'))).toBe(true)
  })

  test('a word that could be ASCII is no sentence where a command begins', () => {
    expect(unmask('сору привет', 'command')).toContain('⟨U+0441⟩')
    expect(unmask('ls; сору привет', 'command')).toContain('⟨U+0441⟩')
    expect(unmask('это оса привет', 'command')).toBe('это оса привет')
  })

  test('every letter that Unicode folds to ASCII, beside ASCII', () => {
    for (let at = 0x80; at < 0x1ffff; at++) {
      const letter = String.fromCodePoint(at)
      const plain = letter.normalize('NFKC')
      if (!/^[a-z0-9/;|&$`-]$/i.test(plain) || 'ªº¹²³'.includes(letter)) continue
      expect(hasMarks(unmask(`x${letter}y`, 'command')), `U+${at.toString(16)}`).toBe(true)
    }
  })
})

describe('ordinary text in any language is left as it is', () => {
  test.each(ordinary)('%s', (text) => {
    expect(unmask(text)).toBe(text)
    expect(hasMarks(text)).toBe(false)
  })
})

/** What is written from right to left, where nothing is marked but the order kept. */
const leftwards = [
  'שלום עולם',
  'مرحبا بالعالم؛ كيف الحال؟',
  'می\u200cخواهم فایل\u200cها را ببینم',
  "git commit -m 'תיקון הבדיקות'",
  'rm אב/גד -rf /tmp/הוז 12 > חט && ls ١ - ٢ | wc',
  'cp א 1 2 ב',
  'cat ܐ;𐤀 ߀ 𞤀<ࢠ',
  'ls \ufe8d=\ufb1d',
]

/** As a screen shows a line that begins at its left: the algorithm of Unicode (UAX 9) for these characters. */
function onScreen(line: string): string {
  const rtl = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
  const letters = [...line]
  let strong = 'L'
  const kinds = letters.map((letter) => {
    if (/\p{M}/u.test(letter)) return strong
    if (/\d/.test(letter)) return strong === 'R' ? 'N' : 'L'
    if (rtl.test(letter)) strong = 'R'
    else if (/[\p{L}\u200e]/u.test(letter)) strong = 'L'
    else return 'O'
    return strong
  })
  const side = (kind: string | undefined) => (kind === 'R' || kind === 'N' ? 'R' : 'L')
  const levels = kinds.map((kind, i) => {
    if (kind !== 'O') return kind === 'R' ? 1 : kind === 'N' ? 2 : 0
    const [left, right] = [
      kinds.slice(0, i).findLast((k) => k !== 'O'),
      kinds.slice(i).find((k) => k !== 'O'),
    ]
    return side(left) === 'R' && side(right) === 'R' ? 1 : 0
  })
  const order = letters.map((_, i) => i)
  for (const level of [2, 1])
    for (let i = 0; i < order.length; i++) {
      let end = i
      while ((levels[end] ?? 0) >= level) end++
      order.splice(i, end - i, ...order.slice(i, end).reverse())
      i = end
    }
  return order.map((i) => letters[i]).join('')
}
const bare = (text: string): string => text.replaceAll('\u200e', '')
const wordsOf = (text: string): string[] =>
  bare(text)
    .split(/[^\p{L}\p{M}\p{N}\u200c]+/u)
    .filter(Boolean)
/** A word from right to left is read so. */
const turned = (word: string): string => (/^[\x20-\x7e]*$/.test(word) ? word : [...word].reverse().join(''))

describe('letters from right to left', () => {
  test.each(leftwards)(
    '%s: nothing is marked, and words and signs stand in the order they run in',
    (text) => {
      const shown = unmask(text, 'command')
      expect(bare(shown)).toBe(text)
      expect(wordsOf(onScreen(shown))).toEqual(wordsOf(text).map(turned))
      const signs = (line: string) => line.replace(/[^\x20-\x7e]|[\p{L}\p{N}]/gu, 'x')
      expect(signs(bare(onScreen(shown)))).toBe(signs(text))
      expect(maskWarnings(shown)).toEqual([ORDER_NOTE])
      expect(bare(unmask(text))).toBe(text)
    },
  )

  test('without that they would not', () => {
    const plain = 'rm אב/גד 12 > חט'
    expect(wordsOf(onScreen(plain))).not.toEqual(wordsOf(plain).map(turned))
  })

  test('prose is left together, and neither it nor a path turns what stands beside it', () => {
    expect(unmask('שלום עולם')).toBe('\u200eשלום עולם\u200e')
    expect(unmask('/home/אב/גד')).toBe('/home/\u200eאב\u200e/\u200eגד\u200e')
    expect(`${unmask('תיקון 3 קבצים. סוף')} 12`).toBe('\u200eתיקון 3 קבצים. סוף\u200e 12')
  })
})

test('what goes through unchanged is what reveal leaves, too', () => {
  for (const text of [...ordinary, ...leftwards]) expect(reveal(text)).toBe(text)
})

test('a large file takes no time', () => {
  const text = `${'сору а b – привет мир ∕ x '.repeat(8000)}\n`
  const begin = performance.now()
  unmask(text, 'command')
  expect(performance.now() - begin).toBeLessThan(5000)
})

describe('on the card and in Details', () => {
  const shown = (command: string, more: Partial<RunView> = {}, cwd = '/home/ana/api') => {
    const view = run({ status: 'awaiting_approval', tasks: [task('1', { command, cwd })], ...more })
    return [renderApproval(view, approval(), { armed: false }).html, planText(view, approval())] as const
  }

  test.each([
    ['a command', shown('сat notes.txt')],
    ['one with an invisible letter', shown('cat no\u200btes.txt')],
    ['a directory', shown('ls', {}, '/home/ana/\u202eipa')],
  ])('%s says so once, plainly', (_, texts) => {
    for (const text of texts) {
      expect(text.split(MASK_WARNING)).toHaveLength(2)
      expect(text).toMatch(/⟨U\+[0-9A-F]{4}⟩/)
    }
  })

  test('letters from right to left are said once, and turn nothing round', () => {
    for (const text of shown('rm אב 12 גד'))
      for (const wanted of [ORDER_NOTE, 'rm \u200eאב\u200e 12 \u200eגד\u200e']) expect(text).toContain(wanted)
  })

  test('what is what it seems carries no warning', () => {
    for (const text of shown("git commit -m 'починил тесты'")) expect(text).not.toContain('⚠️')
  })

  test('words of a model are shown as they are as well', () => {
    const [card, details] = shown('ls', {
      summary: 'clean \u202ednim',
      request: 'clean \u202ednim',
      tasks: [task('1'), task('2')],
    })
    for (const text of [card, details]) expect(text).toContain('⟨U+202E⟩')
  })
})
