/** What one check found. `wrong` says how to mend it; `look` may be meant so; `note` is neither good nor bad. */
export type Finding = (
  | { kind: 'ok'; what: string; text: string }
  | { kind: 'note'; what: string; text: string }
  | { kind: 'look'; what: string; text: string }
  | { kind: 'wrong'; what: string; text: string; mend: string }
) & {
  /** The one of its kind that it is about, as its text begins: findings about the same one are one line. */
  about?: string
}

export const ok = (what: string, text: string): Finding => ({ kind: 'ok', what, text })
export const note = (what: string, text: string): Finding => ({ kind: 'note', what, text })
export const look = (what: string, text: string): Finding => ({ kind: 'look', what, text })
export const wrong = (what: string, text: string, mend: string): Finding => ({
  kind: 'wrong',
  what,
  text,
  mend,
})

/** Findings about the same one as one line, in the place of the first and as bad as the worst. Pure. */
export function together(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(findings, ({ what, about }) => (about ? `${what} ${about}` : Symbol(what)))
  return [...groups.values()].flatMap(([first, ...rest]) => (first ? [rest.reduce(joined, first)] : []))
}

const badness: readonly Finding['kind'][] = ['note', 'ok', 'look', 'wrong']

function joined(one: Finding, other: Finding): Finding {
  const worse = badness.indexOf(other.kind) > badness.indexOf(one.kind) ? other : one
  const more = other.text.startsWith(`${other.about}: `)
    ? other.text.slice((other.about ?? '').length + 2)
    : other.text
  return { ...worse, text: `${one.text}; ${more}` }
}

const marks = { ok: '✓', note: '·', look: '!', wrong: '✗' } as const

/** The last line: how much is to be done. Pure. */
export function summary(findings: readonly Finding[]): string {
  const count = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length
  const [broken, strange] = [count('wrong'), count('look')]
  const parts = [
    ...(broken > 0 ? [`${broken} thing${broken === 1 ? '' : 's'} to mend`] : []),
    ...(strange > 0 ? [`${strange} to look at`] : []),
  ]
  return parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`
}

/** A finding as a person reads it: one line, and below a wrong one what to do. Pure. */
export function tellFinding(finding: Finding): string {
  const line = `${marks[finding.kind]} ${finding.what.padEnd(10)} ${finding.text}`
  return finding.kind === 'wrong' ? `${line}\n  ${''.padEnd(10)} → ${finding.mend}` : line
}
