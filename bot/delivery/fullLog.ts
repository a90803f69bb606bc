import { type LoggedAttempt, type RunLog, readRunLog } from '../../core/archive/readRunLog.ts'
import { messageOf } from '../../core/config/logger.ts'
import type { Deps } from '../../core/deps.ts'

/** Characters of a document; Telegram takes 50 MB. What goes beyond is told, and the REST API has it. */
const MAX_CHARS = 20_000_000

type Text = { parts: string[]; left: number }

/**
 * The whole log of a run, step by step, as text, from the ledger or the archive. Output that the limits cut out is said
 * where it was, and so is a log that is not here any more.
 */
export async function fullLog(
  deps: { db: Pick<Deps['db'], 'query'>; settings: Pick<Deps['settings'], 'archiveDir'> },
  runId: string,
): Promise<string> {
  const log = await readRunLog(deps, runId)
  if (log.attempts.length === 0) return 'Nothing has run yet.\n'
  const texts = new Map<string, Text>()
  const damage = await gather(log, texts)
  const steps = log.attempts.map((attempt) => section(attempt, texts.get(attempt.id)))
  return [...note(log.missing), ...damage, ...steps].join('\n')
}

/** Reads piece by piece; returns what has to be said when the archive cannot be read to its end. */
async function gather({ pieces }: RunLog, texts: Map<string, Text>): Promise<string[]> {
  let chars = 0
  try {
    for await (const { attempt, text } of pieces) {
      const own = texts.get(attempt) ?? { parts: [], left: 0 }
      texts.set(attempt, own)
      if (chars + text.length > MAX_CHARS) own.left += text.length
      else own.parts.push(text)
      chars += text.length
    }
    return []
  } catch (error) {
    return [`The archive of this run cannot be read to its end: ${messageOf(error)}\n`]
  }
}

function section({ key, title, number }: LoggedAttempt, text: Text | undefined): string {
  const head = `== ${key} ${title}${number > 1 ? ` (attempt ${number})` : ''}`
  const left = text && text.left > 0 ? `\n[… ${(text.left / 1e6).toFixed(1)} MB left out of this file …]` : ''
  return `${head}\n${(text?.parts.join('') ?? '').trimEnd()}${left}\n`
}

function note(missing: RunLog['missing']): string[] {
  if (missing === null) return []
  if (missing === 'no longer kept') return ['The log of this run is no longer kept.\n']
  return [
    `The log of this run is in the archive on ${missing.host}, in ${missing.dir}; it cannot be read from here.\n`,
  ]
}
