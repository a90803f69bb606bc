import type { ProviderSettings } from '../config/model.ts'
import { redactor } from '../redaction/redact.ts'
import { ModelError, type ModelFault } from './model.ts'

type Failure = { status: number | undefined; code: string; message: string; timedOut: boolean }
const nothingKnown: Failure = { status: undefined, code: '', message: '', timedOut: false }

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

/** The innermost cause that names itself by a code (ECONNREFUSED, ENOTFOUND, ...). */
function causeCode(error: unknown, depth = 0): string {
  if (depth > 5 || typeof error !== 'object' || error === null) return ''
  return causeCode(fieldOf(error, 'cause'), depth + 1) || textOf(fieldOf(error, 'code'))
}

function readFailure(error: unknown): Failure {
  const status = fieldOf(error, 'status')
  const name = textOf(fieldOf(fieldOf(error, 'constructor'), 'name'))
  const own = textOf(fieldOf(error, 'name'))
  return {
    status: typeof status === 'number' ? status : undefined,
    code: causeCode(error),
    message: textOf(fieldOf(error, 'message')),
    timedOut: name === 'APIConnectionTimeoutError' || own === 'TimeoutError',
  }
}

const outOfQuota = /quota|credit|billing|insufficient|balance/i
const noSuchModel = /model/i

function faultOf({ status, message, timedOut }: Failure): ModelFault {
  if (timedOut) return 'timeout'
  if (status === undefined) return 'unreachable'
  if (status === 401 || status === 403) return 'key'
  if (status === 402) return 'quota'
  if (status === 429) return outOfQuota.test(message) ? 'quota' : 'rate'
  if (status === 404) return 'unknown_model'
  if (status === 408) return 'timeout'
  if (status >= 500) return 'server'
  if (/api[ _-]?key/i.test(message)) return 'key'
  return noSuchModel.test(message) && /not (found|exist|supported)|unknown|invalid model/i.test(message)
    ? 'unknown_model'
    : 'request'
}

const host = (url: string): string => new URL(url).host

function sentence(
  fault: ModelFault,
  failure: Failure,
  at: ProviderSettings,
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
      `${at.label} does not know the model ${at.models[0]}.`,
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
    answer: [`${at.label} sent an answer that cannot be read.`, `Check ${baseSetting}, ${next}.`],
  }
  return told[fault]
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
  at: ProviderSettings,
  seconds: number,
  failure: Failure = nothingKnown,
): ModelError {
  const clean = redactor(at.apiKey ? [at.apiKey] : [])
  const [said, hint] = sentence(fault, { ...failure, message: clean(failure.message) }, at, seconds)
  return new ModelError(fault, said, hint)
}

/**
 * Turns whatever a provider's client threw into a ModelError. `seconds`: the time limit of the request. Pure.
 * The key never gets into it, even when the provider quotes it back.
 */
export function explainFault(error: unknown, at: ProviderSettings, seconds: number): ModelError {
  if (error instanceof ModelError) return error
  const failure = readFailure(error)
  if (error instanceof SyntaxError) return modelError('answer', at, seconds, failure)
  return modelError(faultOf(failure), at, seconds, failure)
}
