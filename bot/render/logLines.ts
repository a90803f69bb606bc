import { clip, reveal } from './html.ts'

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
  const [first] = readTap(text.split('\n')).filter((test) => !test.ok)
  return first ? reveal(`${first.at} ${first.name}`.trim()) : null
}

function tidy(lines: string[], failed: boolean): string[] {
  const tests = readTap(lines)
  const shown = tests.length > 0 ? fromTap(tests, failed) : lines.filter((line) => !isHeadline(line))
  return shown.filter((line) => line.trim() !== '')
}

/** What npm says before it runs a script, and the branch of a git status that follows no other. */
const isHeadline = (line: string): boolean => /^> \S|^## [^\s.]+$/.test(line)

function roundTheError(lines: string[]): string[] {
  const summary = lines.findIndex((line) => /^✖ failing tests:/.test(line))
  const first = summary >= 0 ? summary + 1 : lines.findIndex((line) => worthSeeing.test(line))
  const newest = Math.max(0, lines.length - MAX_LINES)
  const start = first >= 0 && first < newest ? Math.max(0, first - (summary >= 0 ? 0 : 3)) : newest
  return lines.slice(start, start + MAX_LINES)
}

type TapTest = { name: string; ok: boolean; at: string; error: string[] }

/** Failing tests first, each with what was expected; then those that pass. `named`: the card names the first itself. */
function fromTap(tests: TapTest[], named: boolean): string[] {
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

/**
 * The tests of a TAP output, as node's own runner prints it, without its suites and files: only what failed or passed
 * by itself.
 */
function readTap(lines: readonly string[]): TapTest[] {
  if (!lines.some((line) => /^(?:TAP version \d+|1\.\.\d+|# tests \d+)$/.test(line.trimEnd()))) return []
  const tests: TapTest[] = []
  for (const [index, line] of lines.entries()) {
    const [, indent, not, name] = /^(\s*)(not )?ok \d+ - (.+?)(?: # .*)?$/.exec(line) ?? []
    if (indent === undefined || name === undefined) continue
    const facts = blockAfter(lines, index, indent)
    if (facts.some((fact) => /^\s*(?:type: 'suite'|failureType: 'subtestsFailed')/.test(fact))) continue
    tests.push({ name, ok: !not, at: placeOf(facts), error: errorOf(facts) })
  }
  return tests
}

/** The YAML block that follows a test's line. */
function blockAfter(lines: readonly string[], index: number, indent: string): string[] {
  if (lines[index + 1]?.trimEnd() !== `${indent}  ---`) return []
  const end = lines.findIndex((line, at) => at > index && line.trimEnd() === `${indent}  ...`)
  return lines.slice(index + 2, end < 0 ? undefined : end)
}

function placeOf(facts: string[]): string {
  const location = facts.map((fact) => /^\s*location: '(.+?):\d+'$/.exec(fact)?.[1]).find(Boolean)
  return location?.split('/').at(-1) ?? ''
}

function errorOf(facts: string[]): string[] {
  const start = facts.findIndex((fact) => /^\s*error: /.test(fact))
  const first = facts[start]
  if (first === undefined) return []
  const [, indent = '', text = ''] = /^(\s*)error: (.*)$/.exec(first) ?? []
  if (!/^[|>]/.test(text)) return [text.replace(/^'(.*)'$/, '$1')]
  const after = facts.slice(start + 1)
  const end = after.findIndex((fact) => fact.trim() !== '' && !fact.startsWith(`${indent}  `))
  return after
    .slice(0, end < 0 ? undefined : end)
    .map((fact) => fact.slice(indent.length + 2).trimEnd())
    .filter((fact) => fact !== '')
}
