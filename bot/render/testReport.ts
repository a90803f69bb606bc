/** One test of a report: by name, where it stands (`auth.test.ts:41`, or nothing), and what it found on failure. */
export type ReportedTest = { name: string; ok: boolean; at: string; error: string[] }

/**
 * The tests of an output of node's own runner, in either of its forms (TAP, or the one with marks), without suites
 * and files: only what passed or failed by itself. Nothing for any other output. Pure.
 */
export function readReport(lines: readonly string[]): ReportedTest[] {
  const has = (sign: RegExp) => lines.some((line) => sign.test(line.trimEnd()))
  if (has(/^(?:TAP version \d+|1\.\.\d+|# tests \d+)$/)) return readTap(lines)
  return has(/^ℹ tests \d+$/) ? readMarks(lines) : []
}

const fileAndLine = (location: string | undefined): string =>
  location
    ?.split(/[\\/]/)
    .at(-1)
    ?.replace(/^(.+?:\d+):\d+$/, '$1') ?? ''

function readTap(lines: readonly string[]): ReportedTest[] {
  const tests: ReportedTest[] = []
  for (const [index, line] of lines.entries()) {
    const [, indent, not, name] = /^(\s*)(not )?ok \d+ - (.+?)(?: # .*)?$/.exec(line) ?? []
    if (indent === undefined || name === undefined) continue
    const facts = blockAfter(lines, index, indent)
    if (facts.some((fact) => /^\s*(?:type: 'suite'|failureType: 'subtestsFailed')/.test(fact))) continue
    const location = facts.map((fact) => /^\s*location: '(.+)'$/.exec(fact)?.[1]).find(Boolean)
    tests.push({ name, ok: !not, at: fileAndLine(location), error: tapError(facts) })
  }
  return tests
}

/** The YAML block that follows a test's line. */
function blockAfter(lines: readonly string[], index: number, indent: string): string[] {
  if (lines[index + 1]?.trimEnd() !== `${indent}  ---`) return []
  const end = lines.findIndex((line, at) => at > index && line.trimEnd() === `${indent}  ...`)
  return lines.slice(index + 2, end < 0 ? undefined : end)
}

function tapError(facts: string[]): string[] {
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

const MARK = /^\s*([✔✖]) (.+?) \([\d.]+ms\)(?: # .*)?$/

/** The marks come as the tests end; what failed is told at the end again, with its place and error. */
function readMarks(lines: readonly string[]): ReportedTest[] {
  const summary = lines.findIndex((line) => /^✖ failing tests:/.test(line))
  const live = lines.slice(0, summary < 0 ? undefined : summary)
  const suites = new Set(live.flatMap((line) => /^\s*▶ (.+)$/.exec(line)?.[1] ?? []))
  const tests = live.flatMap((line) => {
    const [, mark, name] = MARK.exec(line) ?? []
    if (name === undefined || suites.has(name)) return []
    return [{ name, ok: mark === '✔', at: '', error: [] }]
  })
  const told = summary < 0 ? [] : toldAgain(lines.slice(summary + 1))
  return [...(told.length > 0 ? told : tests.filter((test) => !test.ok)), ...tests.filter((test) => test.ok)]
}

function toldAgain(lines: readonly string[]): ReportedTest[] {
  return lines.flatMap((line, index) => {
    const location = /^\s*test at (\S.*)$/.exec(line)?.[1]
    const name = MARK.exec(lines[index + 1] ?? '')?.[2]
    if (location === undefined || name === undefined) return []
    return [{ name, ok: false, at: fileAndLine(location), error: markedError(lines.slice(index + 2)) }]
  })
}

/** The message of an error, without its kind and its stack. */
function markedError(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => /^\s+at |^\s*test at |\{$/.test(line))
  return lines
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.trim().replace(/^\w*Error(?: \[\w+\])?: /, ''))
    .filter((line) => line !== '')
}
