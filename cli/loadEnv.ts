import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Env } from '../core/config/settings.ts'

const project = join(import.meta.dirname, '..')

/** The text of `.env` beside package.json; empty when there is none. */
export function readEnvFile(dir: string = project): string {
  const file = join(dir, '.env')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** The environment with what `.env` of the project adds; what is set already wins. */
export function loadEnv(env: Env, dir: string = project): Env {
  return {
    ...(parseEnv(readEnvFile(dir)) as Env),
    ...Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
  }
}
