import { randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import type { Server } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentConfig } from '../core/config/agent.ts'
import { type Logger, messageOf } from '../core/config/logger.ts'
import { openRoots } from '../core/config/openRoots.ts'
import { secretSettings } from '../core/config/secretSettings.ts'
import { ConfigError } from '../core/config/settings.ts'
import { createRedactor } from '../core/redaction/redact.ts'
import { Attempts } from './attempts.ts'
import { ControlKeys } from './controlKeys.ts'
import { Delivery } from './deliver.ts'
import { type Identity, identityOf } from './enrol.ts'
import { defaultLimits, type OutputLimits } from './execute/output.ts'
import { lockDirectory, machineId } from './identity.ts'
import { Journal } from './journal/journal.ts'
import { Lines } from './lines.ts'
import { markRefused, refusedLine } from './refused.ts'
import { inspectFiles } from './restsOn.ts'
import { probeSandbox, type Sandbox } from './sandbox/containment.ts'
import { searchPath } from './sandbox/environment.ts'
import { limitsOf } from './sandbox/limits.ts'
import { machineOf } from './sandbox/machineOf.ts'
import { PipePool } from './sandbox/pipes.ts'
import { type Bounds, isWithin } from './sandbox/roots.ts'
import { SecretStore } from './secretStore.ts'
import { Facts } from './tellFacts.ts'
import { watchEnrolment } from './watchEnrolment.ts'

const PRUNE_MS = 3_600_000
/** What work gets to end by itself before it is asked to (TERM), and killed 2 s later: all of it is gone within 10 s. */
export const STOP_GRACE_MS = 7000
/** For the last results to be acknowledged before the connection closes. */
const FAREWELL_MS = 1500

export type AgentOptions = {
  config: AgentConfig
  log: Logger
  env?: NodeJS.ProcessEnv
  limits?: OutputLimits
  /** The directory has joined as another agent, or elsewhere: this one is to be stopped, and that one started. */
  onReplaced?: () => void
}

export type RunningAgent = {
  agentId: string
  machineId: string
  sandbox: Sandbox['kind']
  /** How many attempts run now. */
  running(): number
  /** Gives work `graceMs` (7 s) to end, then 2 s more to end after TERM, kills the rest, and closes. */
  stop(graceMs?: number): Promise<void>
}

/** Starts an agent in this process. Rejects with ConfigError when its settings or its enrolment are not usable. */
export async function startAgent({
  config,
  log,
  env = process.env,
  limits = defaultLimits,
  onReplaced = () => {},
}: AgentOptions): Promise<RunningAgent> {
  const identity = identityOf(config)
  mkdirSync(config.agentDir, { recursive: true, mode: 0o700 })
  const bounds = boundsOf(config)
  const lock = await lockDirectory(realpathSync(config.agentDir))
  const sandbox = orUnlock(lock, () => sandboxOf(config, bounds, env, log))
  const journal = new Journal(join(config.agentDir, 'journal'))
  if (journal.torn > 0)
    log.warn('the journal had lines that a crash left unreadable', { lines: journal.torn })
  const machine = machineId(config.dataDir)
  const facts = new Facts(config, machine, bounds, sandbox, env)
  const delivery = new Delivery(journal)
  const secrets = new SecretStore(config)
  const ownSecrets = secretSettings(env)
  const known = () => createRedactor({ known: [identity.credential, ...ownSecrets, ...secrets.values()] })
  let redacting = { of: secrets.version, by: known() }
  /** A secret that was set meanwhile is kept out of what comes from now on. */
  const current = () => {
    if (redacting.of !== secrets.version) redacting = { of: secrets.version, by: known() }
    return redacting.by
  }
  const pipes = new PipePool(join(config.agentDir, 'pipes'))
  await pipes.fill()
  const attempts = new Attempts({
    agentId: identity.agentId,
    machineId: machine,
    controlKeys: new ControlKeys(config.agentDir, identity.controlKey, log),
    bounds,
    agentDir: config.agentDir,
    sandbox,
    treeLimits: limitsOf(config.limits),
    pipes,
    capabilities: facts.capabilities,
    journal,
    delivery,
    redact: (text) => current().redact(text),
    redacting: { stream: () => current().stream() },
    secrets,
    limits,
    log,
    env,
    onEnd: () => facts.look(),
    onAliases: (found) => facts.learn(found),
  })
  await attempts.settleLost()
  await facts.scan()
  const redact = (text: string) => current().redact(text)
  const connection = connect({ config, identity, bounds, attempts, delivery, facts, redact, log })
  facts.watch(attempts, connection)
  const endWatch = watchEnrolment(config, identity, {
    renewed: () => {
      redacting = { of: secrets.version, by: known() }
      connection.again()
    },
    replaced: onReplaced,
  })
  const pruning = setInterval(() => {
    journal.prune()
    if (sandbox.kind === 'bwrap') void sandbox.walls.places.prune(attempts.runs())
  }, PRUNE_MS)
  log.info('agent started', { agent_id: identity.agentId, containment: sandbox.kind, roots: bounds.roots })
  return {
    agentId: identity.agentId,
    machineId: machine,
    sandbox: sandbox.kind,
    running: () => attempts.running,
    stop: async (graceMs = STOP_GRACE_MS) => {
      await attempts.stop(graceMs)
      const until = performance.now() + FAREWELL_MS
      while (!delivery.idle && performance.now() < until) await sleep(10)
      clearInterval(pruning)
      endWatch()
      facts.end()
      connection.close()
      closeAll(lock, pipes, journal)
    },
  }
}

type Parts = {
  config: AgentConfig
  identity: Identity
  bounds: Bounds
  attempts: Attempts
  delivery: Delivery
  facts: Facts
  redact: (text: string) => string
  log: Logger
}

function connect({ config, identity, bounds, attempts, delivery, facts, redact, log }: Parts): Lines {
  const session = randomUUID()
  return new Lines({
    gatewayUrls: identity.gatewayUrls,
    log,
    hello: () => ({
      type: 'hello',
      agent_id: identity.agentId,
      session,
      credential: identity.credential,
      facts: facts.current(attempts.running),
      attempts: attempts.held(),
    }),
    onLine: (send) => {
      markRefused(config, false)
      delivery.connected({ send })
    },
    onRefused: () => markRefused(config, true),
    refusedLine: refusedLine(config, identity),
    inspect: (paths) => inspectFiles(bounds, paths, redact),
    onNoLine: () => delivery.disconnected(),
    stalledMs: () => delivery.stalledMs,
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
  openRoots(config)
  const roots = config.roots.map((root) => realpathSync(root))
  const inside = roots.find((root) => isWithin(hidden, root))
  if (inside)
    throw new ConfigError(
      `SKYNET_AGENT_ROOTS: ${inside} is inside SKYNET's data directory ${hidden}; it takes directories elsewhere.`,
    )
  return { hidden, roots: [...new Set(roots)] }
}

function sandboxOf(config: AgentConfig, bounds: Bounds, env: NodeJS.ProcessEnv, log: Logger): Sandbox {
  if (config.sandbox === 'off') return { kind: 'group', prefix: [] }
  const options = {
    agentDir: realpathSync(config.agentDir),
    limits: limitsOf(config.limits),
    places: searchPath(env.PATH).split(delimiter),
    machine: machineOf(config, bounds, env),
  }
  const found = probeSandbox(options, searchPath(env.PATH))
  if (config.sandbox === 'required' && found.kind !== 'bwrap') {
    throw new ConfigError(
      'SKYNET_AGENT_SANDBOX: got "required", but bubblewrap (0.5 or newer) does not work here; install it, or take auto.',
    )
  }
  if (found.kind !== 'bwrap')
    log.warn(
      'commands are not confined here: they see and reach what this account can; install bubblewrap 0.5 or newer',
    )
  if (found.kind === 'group') log.warn('no PID namespaces here: killing a process tree is best effort')
  return found
}

/** What fails at the start leaves the directory to the next try. */
function orUnlock<T>(lock: Server, act: () => T): T {
  try {
    return act()
  } catch (error) {
    lock.close()
    throw error
  }
}

function closeAll(lock: Server, pipes: PipePool, journal: Journal): void {
  lock.close()
  pipes.close()
  journal.close()
}
