import { describe, expect, test } from 'vitest'
import { failingTest, shownLines } from '../../../bot/render/logLines.ts'

/** As node's own runner prints it when nobody watches. */
const tap = `> demo@1.0.0 test
> node --test

TAP version 13
# Subtest: one piece costs its price
ok 1 - one piece costs its price
  ---
  duration_ms: 0.8
  type: 'test'
  ...
# Subtest: ten pieces have 10 % off
not ok 2 - ten pieces have 10 % off
  ---
  duration_ms: 1.2
  type: 'test'
  location: '/home/ana/demo/test/basket.test.js:13:1'
  failureType: 'testCodeFailure'
  error: |-
    Expected values to be strictly equal:
    
    1000 !== 900
    
  code: 'ERR_ASSERTION'
  stack: |-
    TestContext.<anonymous> (file:///home/ana/demo/test/basket.test.js:14:10)
    Test.runInAsyncScope (node:async_hooks:214:14)
  ...
# Subtest: prices
    # Subtest: have two digits
    not ok 1 - have two digits
      ---
      location: '/home/ana/demo/test/prices.test.js:3:5'
      failureType: 'testCodeFailure'
      error: 'boom'
      ...
    1..1
not ok 3 - prices
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
1..3
# tests 3
# pass 1
# fail 2
`

describe('what a card shows of an output', () => {
  test('of a failed test run: what was expected, then the other tests, without the noise', () => {
    expect(failingTest(tap)).toBe('basket.test.js:13 ten pieces have 10 % off')
    expect(shownLines([tap], true).split('\n')).toEqual([
      'Expected values to be strictly equal:',
      '1000 !== 900',
      '✗ have two digits',
      'boom',
      '✓ one piece costs its price',
    ])
  })

  test('of a run that succeeded: each step for itself, the newest lines last', () => {
    const shown = shownLines([tap, '## main\n M src/basket.js\n'], false).split('\n')
    expect(shown[0]).toBe('✗ ten pieces have 10 % off')
    expect(shown.at(-1)).toBe(' M src/basket.js')
    expect(shown).not.toContain('## main')
  })

  test('of other failures: at most 15 lines round the first error', () => {
    const lines = Array.from({ length: 60 }, (_, i) =>
      i === 20 ? 'src/a.ts(3,1): error TS2304' : `line ${i}`,
    )
    const shown = shownLines([lines.join('\n')], true).split('\n')
    expect(shown).toHaveLength(15)
    expect(shown.indexOf('src/a.ts(3,1): error TS2304')).toBe(3)
  })

  test("of the other form of node's runner: the same", () => {
    const marks = `▶ prices
  ✖ have two digits (0.2ms)
✖ prices (0.4ms)
✔ one piece costs its price (2.77758ms)
✖ ten pieces have 10 % off (1.941396ms)
ℹ tests 3
ℹ pass 1
ℹ fail 2
ℹ duration_ms 151.8

✖ failing tests:

test at test/basket.test.js:13:1
✖ ten pieces have 10 % off (1.941396ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  1000 !== 900

      at TestContext.<anonymous> (file:///home/ana/demo/test/basket.test.js:14:10) {
    code: 'ERR_ASSERTION',
  }

test at test/prices.test.js:3:5
✖ have two digits (0.2ms)
  Error: boom
      at x
`
    expect(failingTest(marks)).toBe('basket.test.js:13 ten pieces have 10 % off')
    expect(shownLines([marks], true).split('\n')).toEqual([
      'Expected values to be strictly equal:',
      '1000 !== 900',
      '✗ have two digits',
      'boom',
      '✓ one piece costs its price',
    ])
    expect(shownLines(['✔ a (1ms)\nℹ tests 1\nℹ todo 0\n', '+added\n'], false)).toBe('✓ a\n+added')
  })

  test('the last lines when nothing looks like an error, long ones cut, hidden characters shown', () => {
    const shown = shownLines([`${'first\n'.repeat(20)}a\u202eb\n${'x'.repeat(500)}`], true).split('\n')
    expect(shown).toHaveLength(15)
    expect(shown.at(-2)).toBe('a⟨U+202E⟩b')
    expect(shown.at(-1)).toHaveLength(200)
  })

  test('a line that only looks like TAP is left alone', () => {
    expect(failingTest('not ok 1 - says the mail')).toBeNull()
    expect(shownLines(['ok 1 - says the mail'], false)).toBe('ok 1 - says the mail')
  })
})
