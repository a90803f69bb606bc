import { agentSettings } from '../../core/config/agent.ts'
import { controlSettings } from '../../core/config/control.ts'
import { gatewaySettings } from '../../core/config/gateway.ts'
import { modelSettings } from '../../core/config/model.ts'
import type { Env } from '../../core/config/settings.ts'
import { loadPlaybooks } from '../../core/planning/loadPlaybooks.ts'
import { loadPolicy } from '../../core/policy/loadPolicy.ts'
import { type AllSettings, checkSettings } from '../checkSettings.ts'
import { explainError } from '../reportError.ts'
import { type Finding, note, ok, wrong } from './finding.ts'

/** Every setting that any process of SKYNET reads. */
export const allSettings: ReadonlySet<string> = new Set([
  ...controlSettings,
  ...gatewaySettings,
  ...agentSettings,
  ...modelSettings,
])

/** Reads every setting, the policy and the playbooks; names what looks like a setting and is none. */
export async function checkSettingsFile(
  env: Env,
): Promise<{ settings: AllSettings | null; found: Finding[] }> {
  const strangers = Object.keys(env).filter((name) => /^SKYNET_/.test(name) && !allSettings.has(name))
  const notes = strangers.map((name) => note('settings', `${name} is no setting${suggestion(name)}`))
  try {
    const settings = checkSettings(env)
    const policy = await loadPolicy(settings.control.policyFile)
    const playbooks = await loadPlaybooks(settings.control.playbooksDir)
    const set = [...allSettings].filter((name) => env[name]).length
    const text = `${set} set, policy with ${policy.rules.length} rules, ${playbooks.length} playbooks`
    return { settings, found: [ok('settings', text), ...notes] }
  } catch (error) {
    const said = explainError(error, undefined).text.replace(/^skynet: /, '')
    return {
      settings: null,
      found: [wrong('settings', said, 'Correct it in .env or the environment.'), ...notes],
    }
  }
}

const suggestion = (name: string): string => {
  const near = [...allSettings].map((known) => ({ known, far: distance(name, known) }))
  const [best] = near.sort((a, b) => a.far - b.far)
  return best && best.far <= 3 ? `; did you mean ${best.known}?` : ' that this version reads'
}

/** Levenshtein's distance of two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
