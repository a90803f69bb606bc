import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Env } from './settings.ts'

/** The platform's place for this program's data; SKYNET_DATA_DIR overrides it. */
export function defaultDataDir(env: Env): string {
  if (env.SKYNET_DATA_DIR) return resolve(env.SKYNET_DATA_DIR)
  const home = env.HOME || homedir()
  if (process.platform === 'darwin') return join(home, 'Library/Application Support/skynet')
  if (process.platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData/Local'), 'skynet')
  return join(env.XDG_DATA_HOME || join(home, '.local/share'), 'skynet')
}
