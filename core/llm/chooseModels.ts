import type { ModelSettings, OutputMode, ProviderSettings } from '../config/model.ts'
import { contextOf, isPoor, modelsFor, outputOf } from './catalogue.ts'
import type { Need } from './model.ts'

/** A model that may be asked. */
export type Candidate = {
  at: ProviderSettings
  provider: string
  model: string
  mode: OutputMode
}

/** What a question asks of a model. */
export type Demand = { need: Need /** Tokens of question and answer together, about. */; tokens: number }

/**
 * The models to ask, in order: those that AI_MODELS_<NEED> names; then, in the order of AI_PROVIDER_PRIORITY, each
 * provider's best for the need and its others; then those that are poor at it. Models that cannot read so much at once
 * are left out. Whether they are well is not looked at here. Pure.
 */
export function chooseModels(
  { providers, first }: Pick<ModelSettings, 'providers' | 'first'>,
  { need, tokens }: Demand,
): Candidate[] {
  const named = first[need].flatMap(({ provider, model }) => {
    const at = providers.find(({ name }) => name === provider)
    return at ? [candidate(at, model)] : []
  })
  const usual = providers.flatMap((at) => modelsFor(at, need).map((model) => candidate(at, model)))
  const poor = (one: Candidate): boolean => isPoor(one.provider, one.model, need)
  const all = [...named, ...usual.filter((one) => !poor(one)), ...usual.filter(poor)]
  const seen = new Set<string>()
  return all.filter(({ provider, model }) => {
    const key = `${provider}:${model}`
    if (seen.has(key) || contextOf(provider, model) < tokens) return false
    seen.add(key)
    return true
  })
}

const candidate = (at: ProviderSettings, model: string): Candidate => ({
  at,
  provider: at.name,
  model,
  mode: outputOf(at, model),
})
