import { clip } from './html.ts'
import { type ReportedTest, readReport } from './testReport.ts'
import { reveal } from './unmask.ts'

const MAX_LINES = 15
const MAX_WIDTH = 200
const worthSeeing = /\b(error|fail(ed|ure)?|panic|exception|traceback|fatal)\b|[✖✗]/i

/**
 * At most 15 lines for a card, from the output of each step: the last ones, or of a failure those around the first
 * error. Pure.
 */
export function shownLines(outputs: readonly string[], failed: boolean): string {
  const lines = outputs.flatMap((text) =>
    tidy(
      text.split('\n').map((line) => line.trimEnd()),
      failed,
    ),
  )
  return (failed ? roundTheError(lines) : lines.slice(-MAX_LINES))
    .map((line) => clip(reveal(line), MAX_WIDTH))
    .join('\n')
}

/** The first failing test, such as `auth.test.ts:41 expired token`, where the runner is known; null otherwise. Pure. */
export function failingTest(text: string): string | null {
  const [first] = readReport(text.split('\n')).filter((test) => !test.ok)
  return first ? reveal(`${first.at} ${first.name}`.trim()) : null
}

function tidy(lines: string[], failed: boolean): string[] {
  const tests = readReport(lines)
  const shown = tests.length > 0 ? fromReport(tests, failed) : lines.filter((line) => !isHeadline(line))
  return shown.filter((line) => line.trim() !== '')
}

/** What npm says before it runs a script, and the branch of a git status that follows no other. */
const isHeadline = (line: string): boolean => /^> \S|^## [^\s.]+$/.test(line)

function roundTheError(lines: string[]): string[] {
  const first = lines.findIndex((line) => worthSeeing.test(line))
  const newest = Math.max(0, lines.length - MAX_LINES)
  const start = first >= 0 && first < newest ? Math.max(0, first - 3) : newest
  return lines.slice(start, start + MAX_LINES)
}

/** Failing tests first, each with what was expected; then those that pass. `named`: the card names the first itself. */
function fromReport(tests: ReportedTest[], named: boolean): string[] {
  const failing = tests.filter((test) => !test.ok)
  const room = failing.length === 1 ? MAX_LINES - 3 : 3
  return [
    ...failing.flatMap((test, index) => [
      ...(named && index === 0 ? [] : [`✗ ${test.name}`]),
      ...test.error.slice(0, room),
    ]),
    ...tests.filter((test) => test.ok).map((test) => `✓ ${test.name}`),
  ].slice(0, MAX_LINES)
}
