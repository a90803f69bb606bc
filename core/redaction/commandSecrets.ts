import type { Look } from './assignments.ts'
import { looksSecret } from './looksSecret.ts'
import { RANK, type Span } from './spans.ts'

/*
 * Passwords that stand where no sign says so: behind options of programs, in `.netrc`, between tags.
 */

const value = (start: number, end: number): Span => ({ start, end, kind: 'value', rank: RANK.value })
const isHole = (text: string): boolean => /^(?:[$<{*%]|\[redacted|x{3,}$)/i.test(text)

/** What is found by a pattern behind the word, as its last group. */
function behind(shape: RegExp, text: string, end: number): Span | null {
  const pattern = new RegExp(shape.source, 'y')
  pattern.lastIndex = end
  const said = pattern.exec(text)?.at(-1)
  return said && !isHole(said) ? value(pattern.lastIndex - said.length, pattern.lastIndex) : null
}

/** `curl -u name:password`, `--user name:password`: only behind a program that fetches. */
export const userOption: Look = (text, start, end) => {
  const line = text.slice(Math.max(0, start - 300), start)
  if (!/\b(?:curl|wget|http|https|xh)\b[^\n]*$/.test(line)) return null
  return behind(/[ =]["']?[^\s:"']{1,64}:([^\s"']{4,256})/, text, end)
}

/** `sshpass -p password`. */
export const sshpass: Look = (text, _, end) => behind(/[ \t]+-p[ \t]*["']?([^\s"']{4,128})/, text, end)

/** `mysql -ppassword`, on the same line. */
export const mysqlPassword: Look = (text, _, end) =>
  behind(
    /(?:dump|admin)?(?:[ \t]+(?!-p)[^\s|;&]{1,64}){0,8}[ \t]+-p([^\s"'|;&-][^\s"'|;&]{3,127})/,
    text,
    end,
  )

/** `machine h login u password p` of a `.netrc`, on one line or several. */
export const netrc: Look = (text, start, end) => {
  const before = text.slice(Math.max(0, start - 300), start)
  if (!/\b(?:machine\s+\S+|login\s+\S+)\s+(?:(?:login|account)\s+\S+\s+){0,2}$/.test(before)) return null
  return behind(/[ \t]+([^\s"'`]{3,128})/, text, end)
}

/** `<password>p</password>`. */
export const tagged: Look = (text, start, end) => {
  if (!/<(?:[\w.-]{1,20}:)?[\w.-]{0,30}$/.test(text.slice(Math.max(0, start - 60), start))) return null
  const found = behind(/[\w.-]{0,20}(?:\s[^<>]{0,80})?>([^<>\s]{6,512})(?=<\/)/, text, end)
  return found && looksSecret(text.slice(found.start, found.end), true, 'quoted') ? found : null
}
