import { parseEnv } from 'node:util'
import { agentSettings } from '../core/config/agent.ts'
import { controlSettings } from '../core/config/control.ts'
import { gatewaySettings } from '../core/config/gateway.ts'
import { modelSettings } from '../core/config/model.ts'
import { nearest } from '../core/config/nearest.ts'
import type { Env } from '../core/config/settings.ts'
import { readEnvFile } from './loadEnv.ts'

/** Every setting that any process of SKYNET reads. */
export const allSettings: ReadonlySet<string> = new Set([
  ...controlSettings,
  ...gatewaySettings,
  ...agentSettings,
  ...modelSettings,
])

/** Names under which people look for a setting that is called otherwise. */
const otherNames: Readonly<Record<string, string>> = {
  GEMINI_API_KEY: 'GOOGLE_AI_API_KEY',
  GOOGLE_API_KEY: 'GOOGLE_AI_API_KEY',
  CLAUDE_API_KEY: 'ANTHROPIC_API_KEY',
  TELEGRAM_TOKEN: 'TELEGRAM_BOT_TOKEN',
  TELEGRAM_BOT_API_KEY: 'TELEGRAM_BOT_TOKEN',
  BOT_TOKEN: 'TELEGRAM_BOT_TOKEN',
  OLLAMA_HOST: 'OLLAMA_BASE_URL',
}

/** How many letters a typo gets wrong: more in a name that can only be meant for us. */
const NEAR = 2
const NEAR_OURS = 3
/** Shorter names are near too much. */
const MIN_LENGTH = 8

/**
 * What looks like a setting and is none, each as one line for a person: names in `.env` that nothing reads, names in
 * the environment that begin with SKYNET_ or are nearly a setting, and lines of `.env` that set nothing. Values are
 * never quoted. Pure.
 */
export function strangeSettings(env: Env, envFile: string): string[] {
  const inFile = new Set(Object.keys(parseEnv(envFile)))
  const outside = Object.keys(env).filter((name) => !inFile.has(name) && !allSettings.has(name))
  const lines = [...inFile]
    .filter((name) => !allSettings.has(name))
    .map((name) => `${name} in .env is no setting${told(meant(name))}`)
  for (const name of outside) {
    const wanted = meant(name)
    const isOurs = name.startsWith('SKYNET_')
    if (isOurs || (wanted && !env[wanted])) lines.push(`${name} is no setting${told(wanted)}`)
  }
  return [...lines, ...strayLines(envFile)]
}

/** Prints them, before a start goes on without what they were meant to set. */
export function warnOfStrangeSettings(env: Env): void {
  for (const line of strangeSettings(env, readEnvFile())) console.error(`skynet: ${line}`)
}

const told = (wanted: string | null): string =>
  wanted ? `; did you mean ${wanted}?` : ' that this version reads'

/** The setting that a name was probably meant for; null when none is near. */
function meant(name: string): string | null {
  const upper = name.toUpperCase()
  if (allSettings.has(upper)) return upper
  const other = otherNames[upper]
  if (other) return other
  if (upper.length < MIN_LENGTH) return null
  const near = upper.startsWith('SKYNET_') ? NEAR_OURS : NEAR
  return nearest(upper, allSettings, near)
}

const assignment = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:'[^']*'|"[^"]*"|`[^`]*`)?.*$/gm

/** Lines of the file that are neither empty, nor a comment, nor NAME=value (which may span lines in quotes). */
function strayLines(envFile: string): string[] {
  const rest = envFile.replace(assignment, (text) => text.replace(/[^\n]/g, ''))
  return rest
    .split('\n')
    .flatMap((line, i) =>
      /^\s*(#|$)/.test(line) ? [] : [`line ${i + 1} of .env sets nothing; a setting is NAME=value`],
    )
}
