import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { doAction } from '../../agent/execute/actions.ts'
import { Output } from '../../agent/execute/output.ts'
import type { Ended, Run } from '../../agent/execute/run.ts'
import { probeSandbox, type Sandbox } from '../../agent/sandbox/containment.ts'
import { coverGit } from '../../agent/sandbox/coverGit.ts'
import { attemptEnvironment, searchPath } from '../../agent/sandbox/environment.ts'
import { type Limits, limitsOf } from '../../agent/sandbox/limits.ts'
import { machineOf } from '../../agent/sandbox/machineOf.ts'
import { PipePool } from '../../agent/sandbox/pipes.ts'
import { parseAgentConfig } from '../../core/config/agent.ts'
import type { ActionCall } from '../../core/protocol/actions.ts'

export type Told = Ended & { text: string }
type Options = {
  network?: boolean
  confined?: boolean
  cwd?: string
  secrets?: Record<string, string>
  runId?: string
  /** It was let through as a look: nobody was asked. */
  look?: boolean
}

/**
 * A machine with a person's home full of things nobody else should see, two roots in it, SKYNET's data directory, and
 * what commands are held by there. `mark` stands in everything that is to stay hidden.
 */
export class ConfinedMachine {
  readonly mark = `PLANTED${randomBytes(8).toString('hex')}`
  readonly dir: string
  readonly home: string
  readonly work: string
  readonly other: string
  readonly data: string
  readonly outside: string
  readonly #env: Record<string, string>
  readonly #pipes: PipePool
  readonly #limits: Limits
  readonly sandbox: Sandbox

  /** `where`: a directory to make it in. `roots`: below its home; the first is worked in. */
  constructor(options: { roots?: string[]; path?: string; env?: Record<string, string> } = {}) {
    const { roots = ['work', 'other'], path = searchPath(process.env.PATH), env = {} } = options
    this.dir = realpathSync(mkdtempSync('/var/tmp/skynet-confined-'))
    this.home = join(this.dir, 'home')
    this.work = join(this.home, 'work')
    this.other = join(this.home, 'other')
    this.data = join(this.home, '.local/share/skynet')
    this.outside = join(this.dir, 'outside')
    for (const dir of [this.work, this.other, join(this.data, 'agent-x'), this.outside])
      mkdirSync(dir, { recursive: true })
    this.#plant()
    const tools = join(this.home, '.local/bin')
    this.#env = { PATH: `${tools}:${path}`, HOME: this.home, ...env }
    const config = parseAgentConfig({
      ...this.#env,
      SKYNET_DATA_DIR: this.data,
      SKYNET_AGENT_NAME: 'x',
      SKYNET_AGENT_ROOTS: roots.map((root) => join(this.home, root)).join(delimiter),
    })
    this.bounds = { roots: config.roots.map((root) => realpathSync(root)), hidden: this.data }
    this.#limits = limitsOf(config.limits)
    this.#pipes = new PipePool(join(this.dir, 'pipes'))
    this.sandbox = probeSandbox(
      {
        agentDir: config.agentDir,
        limits: limitsOf(config.limits),
        places: path.split(delimiter),
        machine: machineOf(config, this.bounds, this.#env),
      },
      path,
    )
  }

  readonly bounds: { roots: string[]; hidden: string }

  /** Writes a file below the machine's directory. */
  put(name: string, text: string): string {
    const path = join(this.dir, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /** Does an action as the agent does it. `confined` false: as where there are no namespaces. */
  async act(call: ActionCall, options: Options = {}): Promise<Told> {
    const pieces: string[] = []
    const output = new Output(
      (frames) => pieces.push(...frames.map((frame) => (frame.type === 'log' ? frame.text : ''))),
      { stream: asItComes },
    )
    const cwd = options.cwd ?? this.work
    const confines = options.confined !== false
    const agentDir = join(this.data, 'agent-x')
    const covered = await coverGit({
      ...{ cwd, call, confines, agentDir, roots: this.bounds.roots },
      owns: options.look ? [] : [cwd],
    })
    if (covered.kind === 'starts')
      return { exitCode: null, signal: null, error: covered.error, text: covered.error }
    const id = randomUUID()
    const run: Run = {
      id,
      cwd,
      bounds: this.bounds,
      sandbox: options.confined === false ? { kind: 'group', prefix: [] } : this.sandbox,
      confinement: {
        runId: options.runId ?? randomUUID(),
        cwd,
        writable: [this.bounds.roots[0] ?? ''],
        network: options.network ?? false,
        given: covered.covers,
      },
      pipes: this.#pipes,
      limits: this.#limits,
      env: { ...attemptEnvironment(this.#env, id), ...covered.env, ...options.secrets },
      output,
      redact: (text) => text,
      stop: new AbortController().signal,
      started: () => {},
    }
    const ended = await doAction(run, call)
    output.end()
    return { ...ended, text: pieces.join('') }
  }

  /** Runs a command; what it printed, and how it ended. */
  shell(command: string, options: Options = {}): Promise<Told> {
    return this.act({ action: 'shell', params: { command } }, options)
  }

  remove(): void {
    this.#pipes.close()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #plant(): void {
    for (const name of planted) this.put(`home/${name}`, `${this.mark} ${name}\n`)
    this.put('home/.bashrc', '# as it was\n')
    this.put('home/.npmrc', `//registry.example/:_authToken=${this.mark}\n`)
    this.put(
      'home/.gitconfig',
      `[user]\n\tname = Ana\n\temail = ana@example.org\n[credential]\n\thelper = !echo ${this.mark}\n`,
    )
    chmodSync(this.put('home/.local/bin/tool', '#!/bin/sh\necho a tool\n'), 0o755)
    this.put('home/.local/share/skynet/secrets.json', this.mark)
    this.put('home/.local/share/skynet/agent-x/enrolment.json', this.mark)
    this.put('outside/secret', this.mark)
    this.put('home/other/notes', 'as they were\n')
    symlinkSync(join(this.home, '.ssh/id_rsa'), join(this.work, 'link-to-key'))
    symlinkSync(this.home, join(this.work, 'link-to-home'))
    symlinkSync(this.data, join(this.work, 'link-to-data'))
    symlinkSync(this.outside, join(this.work, 'link-to-outside'))
    symlinkSync('link-to-outside', join(this.work, 'link-to-link'))
  }
}

/** Nothing is redacted: what gets through is to be seen. */
const asItComes = () => ({ push: (chunk: string) => chunk, end: () => '', release: () => '' })

/** What a home has that nobody else should see; below the home. */
export const planted = [
  '.ssh/id_rsa',
  '.ssh/config',
  '.aws/credentials',
  '.gnupg/private-keys-v1.d/key',
  '.config/gh/hosts.yml',
  '.config/gcloud/credentials.db',
  '.config/google-chrome/Default/Cookies',
  '.docker/config.json',
  '.kube/config',
  '.mozilla/firefox/x.default/logins.json',
  '.netrc',
  '.git-credentials',
  '.bash_history',
  '.local/share/keyrings/login.keyring',
  '.password-store/bank.gpg',
  '.cargo/credentials.toml',
  '.Xauthority',
  'Documents/diary',
] as const
