import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import type { AgentConfig } from '../../core/config/agent.ts'
import { searchPath } from './environment.ts'
import { writeGitSettings } from './gitSettings.ts'
import { placeOf } from './look.ts'
import type { Bounds } from './roots.ts'
import type { Machine } from './view.ts'

const program = resolve(import.meta.dirname, '../..')

/** Looks at this machine, anew at each call but for git's settings, which are read once a minute. */
export function machineOf(config: AgentConfig, bounds: Bounds, env: NodeJS.ProcessEnv): () => Machine {
  const home = env.HOME || homedir()
  const gitFile = join(config.agentDir, 'gitconfig')
  let git: { at: number; file: string | null } | null = null
  return () => {
    if (!git || performance.now() - git.at > 60_000)
      git = { at: performance.now(), file: writeGitSettings(gitFile, { ...env, HOME: home }) }
    return {
      home: placeOf(home) ?? home,
      roots: bounds.roots,
      hidden: bounds.hidden,
      program: placeOf(program) ?? program,
      path: searchPath(env.PATH).split(delimiter),
      readable: [...config.readable, ...certificates(env)],
      gitSettings: git.file,
    }
  }
}

/** Where the environment says that certificates are. */
const certificates = (env: NodeJS.ProcessEnv): string[] =>
  [env.SSL_CERT_FILE, env.SSL_CERT_DIR, env.NODE_EXTRA_CA_CERTS]
    .flatMap((path) => path?.split(delimiter) ?? [])
    .filter((path) => /^\/(?!etc\/|usr\/)/.test(path))
