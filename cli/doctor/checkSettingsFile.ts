import { missingRoots } from '../../core/config/openRoots.ts'
import type { Env } from '../../core/config/settings.ts'
import { loadPlaybooks } from '../../core/planning/loadPlaybooks.ts'
import { loadPolicy } from '../../core/policy/loadPolicy.ts'
import { type AllSettings, checkSettings, wrongSettings } from '../checkSettings.ts'
import { readEnvFile } from '../loadEnv.ts'
import { explainError } from '../reportError.ts'
import { allSettings, strangeSettings } from '../strangeSettings.ts'
import { type Finding, look, ok, wrong } from './finding.ts'

const mend = 'Correct it in .env or the environment.'

/** Reads every setting, the policy and the playbooks; names what looks like a setting and is none. */
export async function checkSettingsFile(
  env: Env,
): Promise<{ settings: AllSettings | null; found: Finding[] }> {
  const strange = strangeSettings(env, readEnvFile()).map((line) => look('settings', line))
  const lines = wrongSettings(env)
  if (lines.length > 0)
    return { settings: null, found: [...lines.map((line) => wrong('settings', line, mend)), ...strange] }
  const settings = checkSettings(env)
  const rules = await checkRules(env, settings)
  const roots = missingRoots(settings.agent).map((root) =>
    wrong('settings', `SKYNET_AGENT_ROOTS: ${root} is no directory here`, 'Make it, or correct the setting.'),
  )
  return { settings: rules.kind === 'wrong' ? null : settings, found: [rules, ...roots, ...strange] }
}

async function checkRules(env: Env, { control }: AllSettings): Promise<Finding> {
  try {
    const policy = await loadPolicy(control.policyFile)
    const playbooks = await loadPlaybooks(control.playbooksDir)
    const set = [...allSettings].filter((name) => env[name]).length
    return ok(
      'settings',
      `${set} set, policy with ${policy.rules.length} rules, ${playbooks.length} playbooks`,
    )
  } catch (error) {
    return wrong('settings', explainError(error, undefined).text.replace(/^skynet: /, ''), mend)
  }
}
