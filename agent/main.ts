import { mkdirSync, realpathSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentConfig, parseAgentConfig } from '../core/config/agent.ts'
import { createLogger, type Logger, messageOf } from '../core/config/logger.ts'
import { ConfigError, type Env } from '../core/config/settings.ts'
import { readPublicKey } from '../core/protocol/grants.ts'
import { redactor } from '../core/redaction/redact.ts'
import { Attempts } from './attempts.ts'
import { Connection } from './connection.ts'
import { Delivery } from './deliver.ts'
import { type Identity, identityOf, isEnrolled, joinAgent } from './enrol.ts'
import { defaultLimits, type OutputLimits } from './execute/output.ts'
import { lockDirectory, machineId } from './identity.ts'
import { Journal } from './journal/journal.ts'
import { probeSandbox, type Sandbox } from './sandbox/containment.ts'
import { searchPath } from './sandbox/environment.ts'
import { PipePool } from './sandbox/pipes.ts'
import { type Bounds, isWithin } from './sandbox/roots.ts'
import { Facts } from './tellFacts.ts'

export { isEnrolled, joinAgent }

const PRUNE_MS = 3_600_000
const STOP_GRACE_MS = 10_000
/** For the last results to be acknowledged before the connection closes. */
const FAREWELL_MS = 1500

export type AgentOptions = {
  config: AgentConfig
  log: Logger
  env?: NodeJS.ProcessEnv
  limits?: OutputLimits
}

export type RunningAgent = {
  agentId: string
  machineId: string
  sandbox: Sandbox['kind']
  /** Gives work `graceMs` (10 s) to end, kills the rest, and closes. */
  stop(graceMs?: number): Promise<void>
}

/** Starts an agent in this process. Rejects with ConfigError when its settings or its enrolment are not usable. */
export async function startAgent({
  config,
  log,
  env = process.env,
  limits = defaultLimits,
}: AgentOptions): Promise<RunningAgent> {
  const identity = identityOf(config)
  mkdirSync(config.agentDir, { recursive: true, mode: 0o700 })
  const bounds = boundsOf(config)
  const sandbox = sandboxOf(config, bounds, env, log)
  const lock = await lockDirectory(realpathSync(config.agentDir))
  const journal = new Journal(join(config.agentDir, 'journal'))
  if (journal.torn > 0)
    log.warn('the journal had lines that a crash left unreadable', { lines: journal.torn })
  const machine = machineId(config.dataDir)
  const facts = new Facts(config, machine, bounds, sandbox, env)
  const delivery = new Delivery(journal)
  const pipes = new PipePool(join(config.agentDir, 'pipes'))
  await pipes.fill()
  const attempts = new Attempts({
    agentId: identity.agentId,
    machineId: machine,
    controlKey: readPublicKey(identity.controlKey),
    bounds,
    sandbox,
    pipes,
    capabilities: facts.capabilities,
    journal,
    delivery,
    redact: redactor([identity.credential]),
    limits,
    log,
    env,
    onEnd: () => facts.look(),
  })
  await attempts.settleLost()
  await facts.scan()
  const connection = connect({ identity, attempts, delivery, facts, log })
  facts.watch(attempts, connection)
  const pruning = setInterval(() => journal.prune(), PRUNE_MS)
  log.info('agent started', { agent_id: identity.agentId, containment: sandbox.kind, roots: bounds.roots })
  return {
    agentId: identity.agentId,
    machineId: machine,
    sandbox: sandbox.kind,
    stop: async (graceMs = STOP_GRACE_MS) => {
      await attempts.stop(graceMs)
      const until = performance.now() + FAREWELL_MS
      while (!delivery.idle && performance.now() < until) await sleep(10)
      clearInterval(pruning)
      facts.end()
      connection.close()
      closeAll(lock, pipes, journal)
    },
  }
}

type Parts = { identity: Identity; attempts: Attempts; delivery: Delivery; facts: Facts; log: Logger }

function connect({ identity, attempts, delivery, facts, log }: Parts): Connection {
  return new Connection({
    gatewayUrl: identity.gatewayUrl,
    log,
    hello: () => ({
      type: 'hello',
      agent_id: identity.agentId,
      credential: identity.credential,
      facts: facts.current(attempts.running),
      attempts: attempts.held(),
    }),
    onWelcome: (send) => delivery.connected({ send }),
    onLost: () => delivery.disconnected(),
    onFrame: (frame) => {
      if (frame.type === 'dispatch')
        attempts.dispatch(frame).catch((error) => log.error('a dispatch failed', { error: messageOf(error) }))
      else if (frame.type === 'cancel') attempts.cancel(frame.execution_id)
      else if (frame.type === 'ack') attempts.ack(frame.execution_id, frame.seq)
      else attempts.resultAck(frame.execution_id)
    },
  })
}

function boundsOf(config: AgentConfig): Bounds {
  const hidden = realpathSync(config.dataDir)
  const roots = config.roots.map((root) => {
    mkdirSync(root, { recursive: true })
    return realpathSync(root)
  })
  const inside = roots.find((root) => isWithin(hidden, root))
  if (inside)
    throw new ConfigError(
      `SKYNET_AGENT_ROOTS: ${inside} is inside SKYNET's data directory ${hidden}; it takes directories elsewhere.`,
    )
  return { hidden, roots: [...new Set(roots)] }
}

function sandboxOf(config: AgentConfig, bounds: Bounds, env: NodeJS.ProcessEnv, log: Logger): Sandbox {
  if (config.sandbox === 'off') return { kind: 'group', prefix: [] }
  const found = probeSandbox(bounds.hidden, searchPath(env.PATH))
  if (config.sandbox === 'required' && found.kind !== 'bwrap') {
    throw new ConfigError(
      'SKYNET_AGENT_SANDBOX: got "required", but bubblewrap does not work here; install bubblewrap, or take auto.',
    )
  }
  if (found.kind === 'group') log.warn('no PID namespaces here: killing a process tree is best effort')
  return found
}

function closeAll(lock: Server, pipes: PipePool, journal: Journal): void {
  lock.close()
  pipes.close()
  journal.close()
}

/**
 * The agent as a process: `join URL CODE` enrols, no arguments run it until SIGTERM, SIGINT, or (with
 * SKYNET_PARENT_STDIN=1) the end of its standard input.
 */
export async function main(
  env: Env = process.env,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const config = parseAgentConfig(env)
  const [command, url, code] = argv
  if (command === 'join') {
    if (!url || !code) throw new ConfigError('usage: skynet agent join URL CODE')
    const joined = await joinAgent(config, url, code)
    return console.log(`${config.name} joined as ${joined.agentId}. Start it with: skynet agent`)
  }
  const log = createLogger('agent', config.logLevel, config.credential ? [config.credential] : [])
  endOnUncaught(log)
  const agent = await startAgent({ config, log, env })
  endProperly(agent, config, log)
}

function endOnUncaught(log: Logger): void {
  const end = (error: unknown) => {
    log.error('ending after an error nobody expected', {
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
    process.exitCode = 1
    setTimeout(() => process.exit(1), 50)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

function endProperly(agent: RunningAgent, config: AgentConfig, log: Logger): void {
  let ending = false
  const end = (why: string, graceMs: number) => {
    if (ending) return process.exit(0) // asked twice: at once; attempts die with the process
    ending = true
    log.info(`stopping: ${why}`)
    agent.stop(graceMs).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', () => end('SIGTERM', STOP_GRACE_MS))
  process.on('SIGINT', () => end('SIGINT', STOP_GRACE_MS))
  if (!config.endWithStdin) return
  process.stdin.on('end', () => end('the parent is gone', 0))
  process.stdin.on('error', () => end('the parent is gone', 0))
  process.stdin.resume()
}

if (import.meta.main) {
  main().catch((error) => {
    console.error(messageOf(error))
    process.exit(1)
  })
}
