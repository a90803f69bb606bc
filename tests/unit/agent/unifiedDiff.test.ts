import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyHunks, parsePatch } from '../../../agent/execute/unifiedDiff.ts'

const apply = (before: string, patch: string): string =>
  applyHunks(before, parsePatch(patch)[0]?.hunks ?? [], 'file')

function diff(before: string, after: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'skynet-diff-'))
  try {
    writeFileSync(join(dir, 'a'), before)
    writeFileSync(join(dir, 'b'), after)
    return execFileSync('sh', ['-c', 'diff -u a b || true'], { cwd: dir }).toString()
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('applies what diff -u made', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '', '-x', '+y', '@@'), { maxLength: 30 })
    .chain((lines) => fc.boolean().map((end) => lines.join('\n') + (end ? '\n' : '')))
  fc.assert(
    fc.property(text, text, (before, after) => {
      const patch = diff(before, after)
      if (patch !== '') expect(apply(before, patch)).toBe(after)
    }),
    { numRuns: 60 },
  )
})

test('finds a hunk that has moved', () => {
  const patch = '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n'
  expect(apply('zero\nzero\none\ntwo\nthree\n', patch)).toBe('zero\nzero\none\nTWO\nthree\n')
  expect(() => apply('one\n2\nthree\n', patch)).toThrow('hunk 1 does not fit')
})

test.each([
  ['nothing', 'hello'],
  ['wrong counts', '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n-two\n'],
  ['a rename', 'rename from a\nrename to b\n'],
  ['a binary change', 'GIT binary patch\n'],
  ['a hunk without a file', '@@ -1 +1 @@\n-a\n+b\n'],
  ['strange lines', '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\nxtwo\n'],
])('refuses %s', (_, patch) => {
  expect(() => parsePatch(patch)).toThrow()
})
