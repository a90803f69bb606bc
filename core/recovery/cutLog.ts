/** How much of a log is kept: characters in all and of one line; lines from its start and its end, and around each error. */
export type LogBudget = {
  chars: number
  line: number
  head: number
  tail: number
  around: number
  errors: number
}

export const defaultBudget: LogBudget = { chars: 6000, line: 400, head: 12, tail: 40, around: 3, errors: 12 }

/** Colours, cursor moves, titles and other control sequences of terminals (ECMA-48), and what else is not text. */
const escapes =
  /\u001b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)?|[@-Z\\^_])|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

const tellsOfError =
  /\b(?:errors?|fail(?:ed|ure|ures|s)?|fatal|panic(?:ked)?|exception|traceback|assert\w*|abort(?:ed)?|denied|refused|cannot|could not|couldn't|not found|no such|undefined reference|segmentation fault|core dumped|killed|unable to|timed out)\b|\berr!|^\s*(?:✖|✗|×|E {2,})/i
/** Lines that count errors and found none. */
const tellsOfNone =
  /\b(?:0|no) (?:errors?|fail(?:ed|ures?|ing)?)\b|\b(?:errors?|fail(?:ed|ures?)?)\s*[:=]\s*0\b/i

/**
 * A log cut to what tells why something failed: its start, its end, and the lines around errors, the first errors
 * before the later ones; where lines are left out it says how many. Without colours and control characters; of a line
 * that was written over (progress bars) the last text; long lines cut in their middle. Never longer than
 * `budget.chars`. Pure, and linear in the length of the log.
 */
export function cutLog(text: string, budget: LogBudget = defaultBudget): string {
  const lines = tidyLines(text, budget.line)
  const chosen = choose(lines, budget)
  return render(lines, chosen, budget.chars)
}

function tidyLines(text: string, width: number): string[] {
  const lines = text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => cutLine(lastWritten(line), width))
  while (lines.length > 0 && lines.at(-1) === '') lines.pop()
  return lines
}

/** What a terminal would show of a line that returns to its start. */
function lastWritten(line: string): string {
  const parts = line.split('\r')
  const shown = parts.findLast((part) => part.trim() !== '') ?? ''
  // A line of megabytes is cut before it is searched; its ends are all that is kept of it anyway.
  const bounded = shown.length > 20_000 ? `${shown.slice(0, 10_000)}${shown.slice(-10_000)}` : shown
  return bounded.replace(escapes, '').trimEnd()
}

function cutLine(line: string, width: number): string {
  if (line.length <= width) return line
  const mark = ` … ${line.length - width} characters … `
  const room = Math.max(0, width - mark.length)
  const start = Math.ceil(room * 0.7)
  return (whole(line.slice(0, start)) + mark + line.slice(line.length - (room - start))).slice(0, width)
}

/** Without half of a character at its end. */
const whole = (text: string): string => text.replace(/[\ud800-\udbff]$/, '')

const isError = (line: string): boolean => tellsOfError.test(line) && !tellsOfNone.test(line)

/** The lines of a log that tell of errors, each once, as they stand in it. Pure. */
export const errorsIn = (text: string, width = 200): string[] => [
  ...new Set(tidyLines(text, width).filter(isError)),
]

/** Numbers of the lines to keep, as many as there is room for: end and first errors before the rest. */
function choose(lines: readonly string[], budget: LogBudget): Set<number> {
  const chosen = new Set<number>()
  let room = budget.chars
  const take = (n: number, most: number): boolean => {
    if (n < 0 || n >= lines.length || chosen.has(n)) return true
    const cost = (lines[n] ?? '').length + 1
    if (cost + MARK > room || cost > most) return false
    chosen.add(n)
    // Each line may stand alone, with a mark before it.
    room -= cost + (chosen.has(n - 1) || chosen.has(n + 1) ? 0 : MARK)
    return true
  }
  const share = (part: number): number => Math.max(0, room - budget.chars * (1 - part))
  takeTail(lines, budget.tail, share(0.4), take)
  takeErrors(lines, budget, take, () => room > budget.chars * 0.15)
  for (let n = 0; n < Math.min(budget.head, lines.length); n++) if (!take(n, room)) break
  for (let n = lines.length - 1; n >= lines.length - budget.tail && n >= 0; n--) if (!take(n, room)) break
  return chosen
}

/** Characters that a mark of left-out lines may take. */
const MARK = 32

type Take = (n: number, most: number) => boolean

function takeTail(lines: readonly string[], count: number, room: number, take: Take): void {
  let left = room
  for (let n = lines.length - 1; n >= Math.max(0, lines.length - count); n--) {
    const cost = (lines[n] ?? '').length + 1
    if (cost > left || !take(n, left)) return
    left -= cost
  }
}

function takeErrors(
  lines: readonly string[],
  { around, errors }: LogBudget,
  take: Take,
  hasRoom: () => boolean,
): void {
  let seen = 0
  let end = -1
  for (let n = 0; n < lines.length && seen < errors; n++) {
    if (!isError(lines[n] ?? '')) continue
    if (n > end) seen += 1
    end = n + around
    for (const at of [n, ...near(n, around)]) {
      if (!hasRoom()) return
      take(at, Number.POSITIVE_INFINITY)
    }
  }
}

const near = (n: number, around: number): number[] =>
  Array.from({ length: around }, (_, i) => [n + i + 1, n - i - 1]).flat()

function render(lines: readonly string[], chosen: ReadonlySet<number>, chars: number): string {
  const out: string[] = []
  let before = -1
  for (const n of [...chosen].sort((a, b) => a - b)) {
    if (n > before + 1) out.push(gap(n - before - 1))
    out.push(lines[n] ?? '')
    before = n
  }
  if (before < lines.length - 1) out.push(gap(lines.length - 1 - before))
  return whole(out.join('\n').slice(0, chars))
}

const gap = (count: number): string => `… ${count} ${count === 1 ? 'line' : 'lines'} left out …`
