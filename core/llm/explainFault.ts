import type { ProviderSettings } from '../config/model.ts'
import { redactor } from '../redaction/redact.ts'
import { ModelError, type ModelFault } from './model.ts'
import { type Failure, faultOf, nothingKnown, reachOf, readFailure } from './readFailure.ts'

const host = (url: string): string => new URL(url).host

/** Whom it happened with. */
export type At = Pick<ProviderSettings, 'name' | 'label' | 'keySetting' | 'apiKey' | 'baseUrl'> & {
  model: string
}

function sentence(
  fault: ModelFault,
  failure: Failure,
  at: At,
  seconds: number,
): [said: string, hint: string] {
  const next = 'or put another provider first in AI_PROVIDER_PRIORITY'
  const modelSetting = `${at.name.toUpperCase()}_MODEL`
  const baseSetting = `${at.name.toUpperCase()}_BASE_URL`
  const code = failure.code ? `, ${failure.code}` : ''
  const told: Record<ModelFault, [string, string]> = {
    key: [
      `${at.label} did not accept the key (${failure.status ?? 'no status'}).`,
      `Check ${at.keySetting} in .env and start again.`,
    ],
    quota: [`${at.label} has no quota or credit left.`, `Look at your account there, ${next}.`],
    rate: [`${at.label} takes no more requests just now (429).`, `Ask again in a minute, ${next}.`],
    unknown_model: [
      `${at.label} does not know the model ${at.model}.`,
      `Set ${modelSetting} in .env to one it has.`,
    ],
    request: [
      `${at.label} did not take the request (${failure.status ?? 'no status'}): ${oneLine(failure.message)}`,
      `Try another model with ${modelSetting}, ${next}.`,
    ],
    refused: [`${at.label} declined to answer.`, 'Say it in other words, or use /run with the command.'],
    cut: [`${at.label} stopped before its answer was whole.`, 'Ask for less at once.'],
    server: [
      `${at.label} has trouble of its own (${failure.status ?? 'no status'}).`,
      `Ask again in a minute, ${next}.`,
    ],
    unreachable: [
      `${at.label} cannot be reached at ${host(at.baseUrl)}${code}.`,
      `Check the network and ${baseSetting}, ${next}.`,
    ],
    timeout: [`${at.label} did not answer within ${seconds} s.`, `Ask again, ${next}.`],
    slow: [`${at.label} was slower than another.`, `Ask again, ${next}.`],
    answer: [`${at.label} sent an answer that cannot be read.`, `Check ${baseSetting}, ${next}.`],
    schema: [
      `${at.label} takes no question in this form: ${oneLine(failure.message)}`,
      `Try another model with ${modelSetting}, ${next}.`,
    ],
    busy: [
      `${at.label} is left alone for ${waitWords(failure.retryAfterMs)}, as it asked.`,
      `Ask again then, ${next}.`,
    ],
    budget: [`The budget for ${at.label} is used up.`, 'Playbooks and /run go on without a model.'],
  }
  return told[fault]
}

/** The same in a few words, to stand beside those of others. */
function briefOf(fault: ModelFault, { status, retryAfterMs }: Failure, at: At, seconds: number): string {
  const left = retryAfterMs === null ? '' : ` (${waitWords(retryAfterMs)} left)`
  const told: Record<ModelFault, string> = {
    key: 'did not accept the key',
    quota: 'has no quota or credit left',
    rate: `takes no more requests just now${left}`,
    unknown_model: `does not know the model ${at.model.slice(0, 60)}`,
    request: `did not take the request (${status ?? 'no status'})`,
    refused: 'declined to answer',
    cut: 'stopped before its answer was whole',
    server: status === undefined ? 'has trouble of its own' : `answered ${status}`,
    unreachable: 'cannot be reached',
    timeout: `did not answer within ${seconds} s`,
    slow: 'was slower than another',
    answer: 'sent an answer that cannot be read',
    schema: 'takes no question in this form',
    busy: `rests as it asked${left}`,
    budget: 'has its budget used up',
  }
  return `${at.label} ${told[fault]}`
}

/** A model that is left alone, `ms` more, for what it answered before. */
export function restError(at: At, fault: ModelFault | null, ms: number): ModelError {
  const why: Partial<Record<ModelFault, string>> = {
    rate: 'after too many requests',
    quota: 'since its quota is used up',
    server: 'after trouble of its own',
  }
  const { message, hint } = modelError('busy', at, 0, { ...nothingKnown, retryAfterMs: ms })
  const brief = `${at.label} rests ${(fault && why[fault]) ?? 'as it asked'} (${waitWords(ms)} left)`
  return new ModelError('busy', message, hint, { retryAfterMs: ms, brief, by: at.label })
}

/** A wait as people say it. */
export const waitWords = (ms: number | null): string => {
  const s = Math.ceil((ms ?? 60_000) / 1000)
  return s < 90 ? `${s} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`
}

const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/^\s*\d{3} /, '')
    .trim()
    .slice(0, 160)

/** A fault of ours to name, with the provider's words for it: one line what happened, one what to do. */
export function modelError(
  fault: ModelFault,
  at: At,
  seconds: number,
  failure: Failure = nothingKnown,
): ModelError {
  const clean = redactor(at.apiKey ? [at.apiKey] : [])
  const [said, hint] = sentence(fault, { ...failure, message: clean(failure.message) }, at, seconds)
  return new ModelError(fault, said, hint, {
    retryAfterMs: failure.retryAfterMs,
    reach: reachOf(fault, failure, at.name),
    by: at.label,
    brief: briefOf(fault, failure, at, seconds),
  })
}

/**
 * Turns whatever a provider's client threw into a ModelError. `seconds`: the time limit of the request. Pure.
 * The key never gets into it, even when the provider quotes it back.
 */
export function explainFault(error: unknown, at: At, seconds: number): ModelError {
  if (error instanceof ModelError) return error
  const failure = readFailure(error)
  if (error instanceof SyntaxError) return modelError('answer', at, seconds, failure)
  return modelError(faultOf(failure), at, seconds, failure)
}
