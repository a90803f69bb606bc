import { accessSync, constants } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { MARK } from './mark.ts'

/** The only variables handed on from the agent's own environment, beside LC_*. */
const passed = [
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'SHELL',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
]

/** What git must not do for looking: start programs that a repository's own settings name. See docs/policy.md. */
const gitSettings: readonly (readonly [string, string])[] = [
  ['core.fsmonitor', 'false'],
  ['safe.bareRepository', 'explicit'],
  ['log.showSignature', 'false'],
  ['format.pretty', 'medium'],
  ['diff.autoRefreshIndex', 'false'],
]

/** Answers every question with "no", and keeps output plain. */
const quiet = {
  TERM: 'dumb',
  NO_COLOR: '1',
  CI: '1',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_EDITOR: 'true',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_CONFIG_COUNT: String(gitSettings.length),
  ...Object.fromEntries(
    gitSettings.flatMap(([key, value], i) => [
      [`GIT_CONFIG_KEY_${i}`, key],
      [`GIT_CONFIG_VALUE_${i}`, value],
    ]),
  ),
  EDITOR: 'true',
}

const ownModules = resolve(import.meta.dirname, '../../node_modules')

const bases = new WeakMap<NodeJS.ProcessEnv, Record<string, string>>()

/**
 * The environment of one attempt: a short list, without anything of SKYNET's own. `env` is the agent's own, read
 * once: it does not change while the agent runs.
 */
export function attemptEnvironment(env: NodeJS.ProcessEnv, executionId: string): Record<string, string> {
  const base = bases.get(env) ?? baseEnvironment(env)
  bases.set(env, base)
  return { ...base, [MARK]: executionId }
}

function baseEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(
    ([name, value]) => value && (passed.includes(name) || name.startsWith('LC_')),
  )
  const user = { HOME: homedir(), USER: userName(), TMPDIR: tmpdir(), SHELL: '/bin/sh' }
  return {
    ...user,
    ...(Object.fromEntries(kept) as Record<string, string>),
    ...quiet,
    PATH: searchPath(env.PATH),
  }
}

/**
 * PATH without SKYNET's own tools, and without what npm put in front of it when it started SKYNET (`node_modules/.bin`
 * of every folder above, and its own `node-gyp-bin`), and without folders that depend on where a task works; the Node that runs the agent comes last where there is no other.
 */
export function searchPath(path: string | undefined): string {
  const given = (path || '/usr/local/bin:/usr/bin:/bin').split(delimiter)
  const parts = given.filter((part) => isAbsolute(part) && !isToolFolder(resolve(part)))
  if (!findProgram('node', parts)) parts.push(dirname(process.execPath))
  return [...new Set(parts)].join(delimiter)
}

function isToolFolder(folder: string): boolean {
  return folder.startsWith(ownModules) || /[\\/](node_modules[\\/]\.bin|node-gyp-bin)$/.test(folder)
}

/** The full path of a program on a search path; null when it is not there. */
export function findProgram(name: string, parts: string[]): string | null {
  return parts.map((part) => join(part, name)).find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'skynet'
  }
}
