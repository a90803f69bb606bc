import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Env } from '../core/config/settings.ts'

/** The environment with what `.env` of the project adds; what is set already wins. */
export function loadEnv(env: Env, dir: string = join(import.meta.dirname, '..')): Env {
  const file = join(dir, '.env')
  if (!existsSync(file)) return env
  return {
    ...(parseEnv(readFileSync(file, 'utf8')) as Env),
    ...Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
  }
}
