import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineId } from '../../agent/identity.ts'
import { startApi } from '../../api/main.ts'
import type { LimitOptions } from '../../bot/delivery/limits.ts'
import { startBot } from '../../bot/main.ts'
import { type Supervised, superviseChild } from '../../cli/superviseChild.ts'
import type { Logger } from '../../core/config/logger.ts'
import type { Deps } from '../../core/deps.ts'
import type { RunStatus } from '../../core/events/states.ts'
import { setPlace } from '../../core/fleet/choosePlace.ts'
import { enrolAgent } from '../../core/fleet/enrolAgent.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { newCode } from '../../core/fleet/oneTimeCodes.ts'
import type { Model } from '../../core/llm/model.ts'
import { meetPerson, type Role, setRole } from '../../core/people/people.ts'
import type { Topic } from '../../core/queue/bus.ts'
import { findRun, type RunView, viewRun } from '../../core/runs/viewRun.ts'
import { type Playground, type StoredMessage, startPlayground } from '../../playground/server.ts'
import { startWorkers } from '../../workers/main.ts'
import { openTestControl, type TestControl, testLog } from './control.ts'
import { newDatabase, newRedis, type TestDatabase } from './database.ts'
import { freePort } from './freePort.ts'
import { makeRepository } from './repositories.ts'

/*
 * All of SKYNET, for tests that talk to it as a person does: the local Telegram, bot, API and workers in this
 * process, gateway and agents as real processes with real repositories in a directory of their own.
 *
 *   const system = await startSystem()          // one machine "laptop" with the repository "api", Ana is owner there
 *   system.say('/run git status')
 *   await system.message(/#1 succeeded/)        // waits for the bot's message, by event, never by sleeping
 *   await system.stop()
 *
 * Each wait ends with the conversation so far when what it waits for does not come.
 */

export const ana = { id: 7_000_001, first_name: 'Ana' }
export const bob = { id: 7_000_002, first_name: 'Bob' }
export const eve = { id: 7_000_003, first_name: 'Eve' }
export type Person = typeof ana

export type MachineOptions = { name: string; repositories: string[] }
export type SystemOptions = {
  queue?: 'postgres' | 'redis'
  /** Default: a laptop with the repository `api`. */
  machines?: MachineOptions[]
  /** With one machine Ana works in its first repository from the start; false: she has chosen nothing. */
  placed?: boolean
  settings?: Partial<Deps['settings']>
  model?: Model | null
  /** Default: hardly any. */
  limits?: LimitOptions
  /** How many gateways there are; every agent is connected to each. Default: one. */
  gateways?: number
  /** False: no gateway and no agents. */
  processes?: boolean
}

/** Limits that never hold a message back; edits come at most 50 times a second. */
const noLimits: LimitOptions = {
  chatBurst: 1e6,
  groupPerMinute: 1e6,
  perSecond: 1e6,
  firstEditMs: 0,
  editGapMs: 20,
  groupEditGapMs: 20,
}
/** A transaction that another test leaves silent holds back the readers of events of the whole server for ten seconds. */
const WAIT_MS = 30_000
/** Looked at this often besides on every notice: some changes of the ledger are told to nobody. */
const LOOK_MS = 100
const topics: Topic[] = ['run.changed', 'log', 'deliver', 'agents']

type Bot = ReturnType<typeof startBot>
type Machine = MachineOptions & {
  agentId: string
  credential: string
  dir: string
  root: string
  process: Supervised | null
}
export type Choose = { chat?: number; after?: number; timeout?: number }

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const database = await newDatabase()
  const redisUrl = options.queue === 'redis' ? await newRedis() : null
  const faults: string[] = []
  const log = listening(testLog, faults)
  const control = await openTestControl({
    databaseUrl: database.url,
    redisUrl,
    log,
    ...(options.settings ? { settings: options.settings } : {}),
    model: options.model ?? null,
  })
  const system = new System(options, { database, redisUrl, control, faults })
  await system.start()
  return system
}

/** A logger that also keeps what it is told as an error. */
const listening = (log: Logger, faults: string[]): Logger => ({
  debug: log.debug.bind(log),
  info: log.info.bind(log),
  warn: log.warn.bind(log),
  error: ((message: unknown, ...rest: unknown[]) => {
    faults.push([message, ...rest].map(String).join(' '))
    return (log.warn as (...args: unknown[]) => Logger)(message, ...rest)
  }) as Logger['error'],
})

type Foundation = { database: TestDatabase; redisUrl: string | null; control: TestControl; faults: string[] }

export class System {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-system-')))
  readonly machines: Machine[] = []
  readonly database: TestDatabase
  readonly redisUrl: string | null
  readonly control: TestControl
  /** What was logged as an error so far. */
  readonly faults: string[]
  readonly #options: SystemOptions
  #playground: Playground | null = null
  #bot: Bot | null = null
  #api: { url: string; stop(): Promise<void> } | null = null
  #workers: { stop(): Promise<void> } | null = null
  readonly #gateways: (Supervised | null)[] = []
  readonly #gatewayPorts: number[] = []

  constructor(options: SystemOptions, { database, redisUrl, control, faults }: Foundation) {
    this.#options = options
    this.database = database
    this.redisUrl = redisUrl
    this.control = control
    this.faults = faults
  }

  get deps(): Deps {
    return this.control.deps
  }

  get db(): Deps['db'] {
    return this.control.deps.db
  }

  get telegram(): Playground {
    if (!this.#playground) throw new Error('the playground is not started')
    return this.#playground
  }

  get apiUrl(): string {
    return this.#api?.url ?? ''
  }

  async start(): Promise<void> {
    this.#playground = await startPlayground({
      port: 0,
      token: this.control.secrets.botToken,
      stateFile: null,
      visitor: ana,
      botName: 'SKYNET',
      secret: 'x'.repeat(24),
      ...(this.#options.limits
        ? {}
        : { limits: { perChatPerSecond: 1e6, burst: 1e6, groupPerMinute: 1e6, overallPerSecond: 1e6 } }),
    })
    await this.startBot()
    this.#api = await startApi(
      {
        ...this.deps,
        controlKey: this.control.controlKey,
        botReady: () => this.#bot?.ready() ?? false,
      } as Parameters<typeof startApi>[0],
      { host: '127.0.0.1', port: 0 },
    )
    this.startWorkers()
    if (this.#options.processes !== false) await this.#startMachines()
  }

  // --- parts -----------------------------------------------------------------------------------------------------

  async startBot(): Promise<void> {
    const connection = {
      kind: 'polling' as const,
      token: this.control.secrets.botToken,
      apiRoot: this.telegram.url,
    }
    const deps = {
      ...this.deps,
      ownerIds: [ana.id],
      redact: this.control.redact,
      gatewayUrl: 'http://127.0.0.1:8766',
    }
    const bot = startBot(deps, connection, { limits: this.#options.limits ?? noLimits, leaseMs: 2000 })
    this.#bot = bot
    await this.until(() => bot.ready(), 'the bot to be ready')
  }

  async stopBot(): Promise<void> {
    await this.#bot?.stop()
    this.#bot = null
  }

  async restartBot(): Promise<void> {
    await this.stopBot()
    await this.startBot()
  }

  startWorkers(): void {
    this.#workers = startWorkers(this.deps, this.control.queue)
  }

  async stopWorkers(): Promise<void> {
    await this.#workers?.stop()
    this.#workers = null
  }

  async #startMachines(): Promise<void> {
    for (let i = 0; i < (this.#options.gateways ?? 1); i++) {
      this.#gatewayPorts.push(await freePort())
      this.startGateway(i)
    }
    for (const options of this.#options.machines ?? [{ name: 'laptop', repositories: ['api'] }]) {
      this.machines.push(await this.#enrol(options))
      this.startAgent(options.name)
    }
    await this.connected()
    const [only] = this.machines
    if (only && this.machines.length === 1 && this.#options.placed !== false)
      await this.place(ana, only.name, only.repositories[0])
  }

  async #enrol(options: MachineOptions): Promise<Machine> {
    const dir = join(this.dir, options.name)
    const root = join(dir, 'work')
    mkdirSync(root, { recursive: true })
    for (const name of options.repositories) makeRepository(join(root, name), name)
    const code = await newCode(this.db, 'join', 60_000, null)
    const machine = { code, name: options.name, machineId: machineId(join(dir, 'data')) }
    const enrolled = await enrolAgent(this.deps, machine)
    if (enrolled.kind !== 'enrolled') throw new Error(`${options.name}: ${enrolled.kind}`)
    const { agentId, credential } = enrolled
    return { ...options, agentId, credential, dir, root, process: null }
  }

  #environment(more: Record<string, string>): Record<string, string> {
    return {
      PATH: `${join(this.dir, 'bin')}:${process.env.PATH}`,
      SKYNET_LOG_LEVEL: process.env.TEST_LOG ?? 'error',
      SKYNET_API_URL: this.apiUrl,
      SKYNET_GATEWAY_URL: this.#gatewayPorts.map((port) => `http://127.0.0.1:${port}`).join(','),
      ...more,
    }
  }

  startGateway(number = 0): void {
    const { gatewayToken, gatewayApiToken } = this.control.secrets
    const name = number === 0 ? 'gateway' : `gateway-${number + 1}`
    this.#gateways[number] = superviseChild(
      this.deps.log,
      'gateway',
      this.#environment({
        SKYNET_DATA_DIR: join(this.dir, name),
        SKYNET_GATEWAY_NAME: name,
        SKYNET_GATEWAY_PORT: String(this.#gatewayPorts[number]),
        SKYNET_GATEWAY_URL: `http://127.0.0.1:${this.#gatewayPorts[number]}`,
        SKYNET_GATEWAY_TOKEN: gatewayToken,
        SKYNET_GATEWAY_API_TOKEN: gatewayApiToken,
      }),
    )
  }

  /** Ends a gateway for good (until startGateway). */
  async stopGateway(number = 0): Promise<void> {
    await this.#gateways[number]?.stop(0)
    this.#gateways[number] = null
  }

  startAgent(name = 'laptop'): void {
    const machine = this.machine(name)
    mkdirSync(join(machine.dir, 'data'), { recursive: true })
    machine.process = superviseChild(
      this.deps.log,
      'agent',
      this.#environment({
        HOME: machine.dir,
        SKYNET_DATA_DIR: join(machine.dir, 'data'),
        SKYNET_AGENT_NAME: name,
        SKYNET_AGENT_ROOTS: machine.root,
        SKYNET_AGENT_ID: machine.agentId,
        SKYNET_AGENT_CREDENTIAL: machine.credential,
        SKYNET_CONTROL_KEY: this.control.controlKey,
      }),
    )
  }

  /** Kills a process the hard way; what supervises it starts it again. */
  kill(what: 'agent' | 'gateway', name = 'laptop'): void {
    const pid = (what === 'gateway' ? this.#gateways[0] : this.machine(name).process)?.pid()
    if (pid === undefined) throw new Error(`there is no ${what} to kill`)
    process.kill(pid, 'SIGKILL')
  }

  /** Ends an agent for good (until startAgent). */
  async stopAgent(name = 'laptop'): Promise<void> {
    const machine = this.machine(name)
    await machine.process?.stop(0)
    machine.process = null
  }

  machine(name = 'laptop'): Machine {
    const machine = this.machines.find((m) => m.name === name)
    if (!machine) throw new Error(`there is no machine ${name}`)
    return machine
  }

  /** Puts a program of this name first on the agents' search path: a stand-in for one that needs the network. */
  program(name: string, script: string): void {
    mkdirSync(join(this.dir, 'bin'), { recursive: true })
    writeFileSync(join(this.dir, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  /** A path in a machine's first repository. */
  path(file: string, name = 'laptop'): string {
    const machine = this.machine(name)
    return join(machine.root, machine.repositories[0] ?? '', file)
  }

  /** Whether that file or directory is there. */
  has(file: string, name = 'laptop'): boolean {
    return existsSync(this.path(file, name))
  }

  /** Waits until every machine is connected. */
  connected(): Promise<unknown> {
    const wanted = this.machines.filter((m) => m.process).length
    const there = async () => (await listMachines(this.db)).filter((m) => m.connected).length >= wanted
    return this.until(there, `${wanted} machines to be connected`)
  }

  // --- people ----------------------------------------------------------------------------------------------------

  async place(person: Person, machine: string, repository = ''): Promise<void> {
    const { id } = await meetPerson(this.db, { id: person.id, name: person.first_name }, [ana.id])
    const { agentId, root } = this.machine(machine)
    await setPlace(
      this.db,
      { chatId: person.id, topicId: 0, personId: id },
      { agentId, cwd: realpathSync(join(root, repository)) },
    )
  }

  async giveRole(person: Person, role: Role | null): Promise<void> {
    const { id } = await meetPerson(this.db, { id: person.id, name: person.first_name }, [ana.id])
    await setRole(this.db, id, role, null)
  }

  // --- the chat --------------------------------------------------------------------------------------------------

  /** Says something, as Ana in her private chat unless told otherwise. Returns the message's id. */
  say(text: string, options: Parameters<Playground['say']>[1] = {}): number {
    return this.telegram.say(text, options)
  }

  /** What the bot has said in a chat and not deleted, oldest first. */
  messages(chat = ana.id): StoredMessage[] {
    return this.telegram.chat(chat).filter((m) => m.from.is_bot && !m.deleted && !m.service)
  }

  /** Waits for a message of the bot whose text, caption or file name fits. `after`: below that message id. */
  message(pattern: RegExp, { chat = ana.id, after = 0, timeout }: Choose = {}): Promise<StoredMessage> {
    const find = () => this.messages(chat).find((m) => m.message_id > after && pattern.test(textOf(m)))
    return this.until(find, `a message like ${pattern}`, timeout, chat)
  }

  /** Waits for a button and taps it; resolves with the toast that answers the tap. */
  async tap(button: string | RegExp, options: Choose & { from?: Person; on?: number } = {}): Promise<string> {
    const { chat = ana.id, after = 0, on, from, timeout } = options
    const fits = (text: string) => (typeof button === 'string' ? text === button : button.test(text))
    const found = await this.until(
      () => {
        for (const m of this.messages(chat).reverse()) {
          if (m.message_id <= after || (on !== undefined && m.message_id !== on)) continue
          const text = buttonsOf(m).find(fits)
          if (text !== undefined) return { id: m.message_id, text }
        }
        return null
      },
      `a button ${button}`,
      timeout,
      chat,
    )
    const query = this.telegram.tap(chat, found.id, found.text, from)
    const answered = await this.until(
      () => this.telegram.answers().find((a) => a.callback_query_id === query),
      `an answer to the tap on ${button}`,
      timeout,
      chat,
    )
    return answered.text
  }

  /** The conversation so far, for people. */
  transcript(chat = ana.id): string {
    const line = (m: StoredMessage) =>
      `[${m.message_id}${m.edits ? ` edited ${m.edits}x` : ''} ${m.from.first_name}] ${textOf(m)}${buttonsOf(
        m,
      )
        .map((b) => ` [${b}]`)
        .join('')}`
    return this.telegram.chat(chat).map(line).join('\n')
  }

  // --- runs ------------------------------------------------------------------------------------------------------

  /** Says something that starts a run, and resolves with the run's number. */
  async ask(text: string, options: Parameters<Playground['say']>[1] = {}): Promise<number> {
    const newest = async () =>
      (await this.db.query<{ n: number }>('SELECT coalesce(max(number), 0) AS n FROM run'))[0]?.n ?? 0
    const before = await newest()
    this.say(text, options)
    const chat = options.chat_id ?? options.from?.id ?? ana.id
    return this.until(async () => (await newest()) > before && newest(), `a run for ${text}`, undefined, chat)
  }

  /** The run of a number, as the ledger has it now. */
  async run(number: number): Promise<RunView> {
    const id = await findRun(this.db, number)
    const run = id ? await viewRun(this.db, id) : null
    if (!run) throw new Error(`there is no run #${number}`)
    return run
  }

  /** Waits until a run is in one of these states. */
  runIs(number: number, ...states: RunStatus[]): Promise<RunView> {
    const find = async () => {
      const id = await findRun(this.db, number)
      const run = id ? await viewRun(this.db, id) : null
      return run && states.includes(run.status) ? run : null
    }
    return this.until(find, `run #${number} to be ${states.join(' or ')}`)
  }

  /** Waits until a task of a run is in one of these states. */
  taskIs(
    number: number,
    key: string,
    ...states: RunView['tasks'][number]['status'][]
  ): Promise<RunView['tasks'][number]> {
    const find = async () => {
      const id = await findRun(this.db, number)
      const task = id ? (await viewRun(this.db, id))?.tasks.find((t) => t.key === key) : null
      return task && states.includes(task.status) ? task : null
    }
    return this.until(find, `task ${number}.${key} to be ${states.join(' or ')}`)
  }

  /** Resolves with the first truthy value of the probe, asked again whenever anything happens here. */
  until<T>(
    probe: () => T | Promise<T>,
    what: string,
    timeout = WAIT_MS,
    chat = ana.id,
  ): Promise<NonNullable<Exclude<T, false>>> {
    return new Promise((resolve, reject) => {
      let asking = false
      let again = false
      const end = (act: () => void) => {
        clearTimeout(deadline)
        clearInterval(timer)
        for (const stop of stops) stop()
        act()
      }
      const ask = async (): Promise<void> => {
        if (asking) {
          again = true
          return
        }
        asking = true
        try {
          do {
            again = false
            const value = await probe()
            if (value) return end(() => resolve(value as NonNullable<Exclude<T, false>>))
          } while (again)
        } catch (error) {
          end(() => reject(error))
        } finally {
          asking = false
        }
      }
      const late = () =>
        reject(
          new Error(`waited ${timeout} ms for ${what}\n${this.transcript(chat)}\n${this.faults.join('\n')}`),
        )
      const deadline = setTimeout(() => end(late), timeout)
      const timer = setInterval(() => void ask(), LOOK_MS)
      const stops = [
        ...topics.map((topic) => this.deps.bus.subscribe(topic, () => void ask())),
        this.telegram.onCall(() => setImmediate(() => void ask())),
      ]
      void ask()
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.process?.stop(0)))
    await Promise.all(this.#gateways.map((gateway) => gateway?.stop(0)))
    await this.stopBot()
    await this.stopWorkers()
    await this.#api?.stop()
    await this.#playground?.close()
    await this.control.close()
    await this.database.drop()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** What a message says: its text, or its caption and the name of its file. */
export const textOf = (m: StoredMessage): string =>
  m.text ?? [m.caption, m.document?.file_name, m.photo && '(photo)'].filter(Boolean).join(' ')

export const buttonsOf = (m: StoredMessage): string[] =>
  m.reply_markup && 'inline_keyboard' in m.reply_markup
    ? m.reply_markup.inline_keyboard.flat().map((b) => b.text)
    : []

/** Processes on this machine whose command line has the mark. */
export const processesWith = (mark: string): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
      } catch {
        return false
      }
    }).length
