/** What one check found. `wrong` says how to mend it; `note` is neither good nor bad. */
export type Finding =
  | { kind: 'ok'; what: string; text: string }
  | { kind: 'note'; what: string; text: string }
  | { kind: 'wrong'; what: string; text: string; mend: string }

export const ok = (what: string, text: string): Finding => ({ kind: 'ok', what, text })
export const note = (what: string, text: string): Finding => ({ kind: 'note', what, text })
export const wrong = (what: string, text: string, mend: string): Finding => ({
  kind: 'wrong',
  what,
  text,
  mend,
})

const marks = { ok: '✓', note: '·', wrong: '✗' } as const

/** A finding as a person reads it: one line, and below a wrong one what to do. Pure. */
export function tellFinding(finding: Finding): string {
  const line = `${marks[finding.kind]} ${finding.what.padEnd(10)} ${finding.text}`
  return finding.kind === 'wrong' ? `${line}\n  ${''.padEnd(10)} → ${finding.mend}` : line
}
