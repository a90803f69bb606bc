import { classOf, type FailureClass } from '../recovery/classify.ts'
import { errorsIn } from '../recovery/cutLog.ts'

/** Of a text with a pasted log: what was asked about it, the lines that tell of errors, and what kind of failure they tell. */
export type Pasted = { asked: string; errors: string[]; kind: FailureClass | null }

const MAX_ERRORS = 5
/** Words alone, as people write them; a program says more with colons, digits and paths. */
const prose = /^[\p{L}\p{M}][\p{L}\p{M} ,'’.?-]{0,119}[!:]?$/u

/** The log that somebody pasted, with or without words of theirs before or after it; null where a text holds none. Pure. */
export function readPasted(text: string): Pasted | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length < 2) return null
  const own = [lines[0] ?? '', lines.at(-1) ?? '']
    .map((line) => line.trim())
    .filter((line) => prose.test(line))
  const errors = errorsIn(text).filter((line) => !prose.test(line.trim()))
  if (errors.length === 0) return null
  return { asked: own.join('\n'), errors: errors.slice(0, MAX_ERRORS), kind: classOf(text) }
}
