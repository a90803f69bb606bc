import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutLog, defaultBudget } from '../../../core/recovery/cutLog.ts'

const numbered = (n: number, word = 'line') => Array.from({ length: n }, (_, i) => `${word} ${i + 1}`)

describe('a log for a model', () => {
  test('is whole when it is short', () => {
    expect(cutLog('a\nb\nc\n')).toBe('a\nb\nc')
    expect(cutLog('')).toBe('')
  })

  test('keeps its start and its end and says how many lines are left out', () => {
    const cut = cutLog(numbered(5000).join('\n')).split('\n')
    expect(cut.slice(0, defaultBudget.head)).toEqual(numbered(defaultBudget.head))
    expect(cut.at(-1)).toBe('line 5000')
    expect(cut).toContain('line 4961')
    expect(cut[defaultBudget.head]).toBe(`… ${5000 - 40 - 12} lines left out …`)
  })

  test('keeps the lines around an error in the middle', () => {
    const lines = numbered(3000)
    lines[1499] = 'TypeError: cannot read properties of undefined'
    const cut = cutLog(lines.join('\n'))
    for (const line of ['line 1497', 'line 1499', lines[1499], 'line 1501', 'line 1503'])
      expect(cut).toContain(line)
    expect(cut).not.toContain('line 1490\n')
  })

  test('keeps the first of thousands of errors, and the end', () => {
    const cut = cutLog(numbered(20_000, 'error: number').join('\n'))
    expect(cut).toContain('error: number 1\n')
    expect(cut).toMatch(/error: number 20000$/)
  })

  test('lines that count no errors are no errors', () => {
    const lines = numbered(3000)
    lines[1000] = 'found 0 errors'
    lines[1500] = 'failures: 0'
    const cut = cutLog(lines.join('\n'))
    expect(cut).not.toContain('0 errors')
    expect(cut).not.toContain('failures: 0')
  })

  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;https://x.example\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['10%\r50%\r100%', '100%'],
    ['100%\r', '100%'],
    ['a\r\nb', 'a\nb'],
    ['bell\u0007 back\u0008space \u009b31m', 'bell backspace 31m'],
    ['a\u0000b', 'ab'],
    ['\u001b[38;5;196;48;2;1;2;3mx', 'x'],
  ])('%j is shown as %j', (raw, shown) => expect(cutLog(raw)).toBe(shown))

  test('a line of a megabyte keeps its ends', () => {
    const cut = cutLog(`begin ${'x'.repeat(1e6)} end`)
    expect(cut).toMatch(/^begin x/)
    expect(cut).toMatch(/ end$/)
    expect(cut.length).toBeLessThanOrEqual(defaultBudget.line)
  })

  test('an escape sequence that never ends takes nothing else with it', () => {
    expect(cutLog(`\u001b[${'1;'.repeat(5000)}\nerror: real`)).toContain('error: real')
    expect(cutLog(`\u001b]0;${'x'.repeat(9000)}\nerror: real`)).toContain('error: real')
  })

  test('never longer than it may be, never half a character, and what it keeps is of the log', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.constantFrom('error: x', 'FAILED y', '😀'.repeat(300), '\u001b[1mE\u001b[0m', ''),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), fc.integer({ min: 200, max: 4000 }), (lines, chars) => {
        const cut = cutLog(lines.join('\n'), { ...defaultBudget, chars })
        expect(cut.length).toBeLessThanOrEqual(chars)
        expect(cut).not.toMatch(/[\u0000-\u0008\u001b]/)
        expect(cut).not.toMatch(/[\ud800-\udbff]$/)
      }),
      { numRuns: 300 },
    )
  })

  test('takes time in proportion to the log', () => {
    const took = (lines: number): number => {
      const text = `${'ab error '.repeat(10)}\n`.repeat(lines)
      const start = performance.now()
      cutLog(text)
      return performance.now() - start
    }
    took(2000)
    const [small, large] = [took(5000), took(50_000)]
    // Ten times the log; a quadratic way would take a hundred times as long.
    expect(large).toBeLessThan(Math.max(small, 5) * 50)
  })
})
