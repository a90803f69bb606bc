import { describe, expect, test } from 'vitest'
import { renderApproval } from '../../../bot/render/approvalCard.ts'
import { planText } from '../../../bot/render/planText.ts'
import { hasMarks, MASK_WARNING, reveal, unmask } from '../../../bot/render/unmask.ts'
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
  'שלום עולם',
  'مرحبا بالعالم؛ كيف الحال؟',
  'می\u200cخواهم فایل\u200cها را ببینم',
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

test('what goes through unchanged is what reveal leaves, too', () => {
  for (const text of ordinary) expect(reveal(text)).toBe(text)
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
