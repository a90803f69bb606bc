import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { AgentConfig } from '../core/config/agent.ts'
import { ConfigError } from '../core/config/settings.ts'
import { SecretName } from '../core/protocol/secretName.ts'

/** A shorter one would be found in ordinary text, and cannot be kept out of output without tearing holes into it. */
export const MIN_SECRET = 8
const MAX_SECRET = 64 * 1024
const MAX_SECRETS = 100

const Stored = z.record(SecretName, z.string().min(MIN_SECRET).max(MAX_SECRET))

/**
 * The secrets that tasks of one agent are given by name: a file (0600) in the agent's own part of the data directory,
 * which its commands do not see and file actions refuse. It is not encrypted: the key would have to stand beside it.
 */
export class SecretStore {
  readonly #file: string
  #version = ''
  #secrets = new Map<string, string>()

  constructor({ agentDir }: Pick<AgentConfig, 'agentDir'>) {
    this.#file = join(agentDir, 'task-secrets.json')
  }

  /** Differs from what it was whenever the secrets were changed. */
  get version(): string {
    this.#look()
    return this.#version
  }

  #look(): void {
    const stat = statSync(this.#file, { throwIfNoEntry: false, bigint: true })
    const version = stat ? `${stat.ino}.${stat.mtimeNs}.${stat.size}` : ''
    if (version === this.#version) return
    this.#version = version
    try {
      this.#secrets = this.#read()
    } catch {
      // What was read before stands; `list` says what is wrong with the file.
    }
  }

  /** The names that are kept, sorted. Throws ConfigError when the file is damaged. */
  list(): string[] {
    return [...this.#read().keys()].sort()
  }

  names(): string[] {
    this.#look()
    return [...this.#secrets.keys()]
  }

  values(): string[] {
    this.#look()
    return [...this.#secrets.values()]
  }

  /** The variables for a task that was approved with these names. Those that are not there are left out. */
  variables(names: readonly string[]): Record<string, string> {
    this.#look()
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = this.#secrets.get(name)
        return value === undefined ? [] : [[name, value]]
      }),
    )
  }

  /** Keeps a secret under a name, in the place of what was there. Throws ConfigError when it cannot be one. */
  set(name: string, value: string): void {
    const fault =
      SecretName.safeParse(name).error?.issues[0]?.message ??
      (value.length < MIN_SECRET ? `at least ${MIN_SECRET} characters` : null) ??
      (value.length > MAX_SECRET || value.includes('\0') ? `at most ${MAX_SECRET} characters of text` : null)
    if (fault) throw new ConfigError(`The secret ${name.slice(0, 64)} cannot be kept: it takes ${fault}.`)
    const all = this.#read().set(name, value)
    if (all.size > MAX_SECRETS) throw new ConfigError(`An agent keeps at most ${MAX_SECRETS} secrets.`)
    this.#write(all)
  }

  /** False when there is none of that name. */
  remove(name: string): boolean {
    const all = this.#read()
    const was = all.delete(name)
    if (was) this.#write(all)
    return was
  }

  #read(): Map<string, string> {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
      throw error
    }
    try {
      return new Map(Object.entries(Stored.parse(JSON.parse(text))))
    } catch {
      throw new ConfigError(`${this.#file} is damaged. Remove it and set the secrets again.`)
    }
  }

  #write(secrets: ReadonlyMap<string, string>): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    const draft = `${this.#file}.${randomBytes(6).toString('hex')}`
    const fd = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(fd, `${JSON.stringify(Object.fromEntries(secrets), null, 2)}\n`)
      fsyncSync(fd)
      renameSync(draft, this.#file)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
  }
}
