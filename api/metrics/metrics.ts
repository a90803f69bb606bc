import { monitorEventLoopDelay } from 'node:perf_hooks'
import { machines } from '../../core/events/states.ts'
import { type Counts, countStates, type Pressure, readPressure } from '../../core/fleet/countStates.ts'
import { listMachines, type Machine } from '../../core/fleet/machineFacts.ts'
import { countSteps, type StepCount } from '../../core/recovery/countHelped.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { LedgerMetrics } from './ledgerMetrics.ts'
import { gauge, Histogram, type Labels } from './series.ts'

/** Milliseconds between two looks at the event loop. */
const LAG_LOOK_MS = 20
const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** All that this process tells Prometheus. */
export class Metrics {
  readonly #requests = new Histogram(
    'skynet_http_request_seconds',
    'Requests by route and status.',
    requestSeconds,
  )
  readonly #ledger = new LedgerMetrics()
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_LOOK_MS })

  constructor() {
    this.#lag.enable()
  }

  /** Counts what happens from now on; without it, from the first scrape on. */
  begin(db: Sql): Promise<void> {
    return this.#ledger.begin(db)
  }

  /** A request that was answered after so many milliseconds. */
  answered(labels: { method: string; route: string; status: string }, ms: number): void {
    this.#requests.observe(labels, ms / 1000)
  }

  /** The text for one scrape. Throws while the database is away. */
  async text(db: Sql): Promise<string> {
    const [counts, now, agents, ledger, recovery] = await Promise.all([
      countStates(db),
      readPressure(db),
      listMachines(db),
      this.#ledger.lines(db),
      countSteps(db),
    ])
    const lines = [
      ...stateLines(counts),
      ...pressureLines(now),
      ...agentLines(agents),
      ...recoveryLines(recovery),
      ...ledger,
      ...this.#processLines(),
      ...this.#requests.lines(),
    ]
    return `${lines.join('\n')}\n`
  }

  stop(): void {
    this.#lag.disable()
  }

  #processLines(): string[] {
    const { rss, heapUsed } = process.memoryUsage()
    // What is measured is the whole interval between two looks.
    const lag = (ns: number): number => Math.max(0, ns / 1e9 - LAG_LOOK_MS / 1000)
    const quantile = (q: number): [Labels, number] => [
      { quantile: String(q) },
      lag(this.#lag.percentile(q * 100)),
    ]
    const lines = [
      ...gauge('process_resident_memory_bytes', 'Memory of this process.', [[{}, rss]]),
      ...gauge('nodejs_heap_used_bytes', 'Of it, used by JavaScript objects.', [[{}, heapUsed]]),
      ...gauge('nodejs_eventloop_lag_seconds', 'Delay of the event loop since the last scrape.', [
        quantile(0.5),
        quantile(0.99),
        [{ quantile: '1' }, lag(this.#lag.max)],
      ]),
    ]
    this.#lag.reset()
    return lines
  }
}

const stateLines = (counts: Record<'run' | 'task' | 'attempt' | 'approval', Counts>): string[] =>
  (['run', 'task', 'attempt', 'approval'] as const).flatMap((machine) =>
    gauge(
      `skynet_${machine}s`,
      `How many ${machine}s are in each status.`,
      Object.keys(machines[machine]).map((status) => [{ status }, counts[machine][status] ?? 0]),
    ),
  )

const one = (name: string, help: string, value: number): string[] => gauge(name, help, [[{}, value]])

const pressureLines = (now: Pressure): string[] => [
  ...one('skynet_queue_depth', 'Tasks that wait to be claimed.', now.queued),
  ...one('skynet_queue_oldest_seconds', 'How long the oldest of them waits.', now.oldestQueuedS),
  ...one('skynet_deliveries_pending', 'Messages that wait to be sent to Telegram.', now.deliveriesPending),
  ...one('skynet_deliveries_failed', 'Messages that Telegram refused for good.', now.deliveriesFailed),
  ...one('skynet_agents_connected', 'Agents that are connected.', now.agentsConnected),
  ...one('skynet_gateways_connected', 'Gateways heard of lately.', now.gatewaysConnected),
  ...one('skynet_lockdown', '1 while nothing may start.', Number(now.lockdown)),
]

/** Of each kind of step after a failure, how many there were and what came of them: `helped` of all that ended. */
const recoveryLines = (counts: readonly StepCount[]): string[] =>
  gauge(
    'skynet_recovery_steps',
    'Steps tried after failures, by kind, who took them, and what came of them.',
    counts.map(({ rung, by, status, n }) => [{ rung, by, status }, n]),
  )

const agentLines = (agents: readonly Machine[]): string[] => [
  ...gauge(
    'skynet_agent_running',
    'Attempts that run on an agent, as it told last.',
    agents.map(({ name, facts }) => [{ agent: name }, facts.load.running]),
  ),
  ...gauge(
    'skynet_agent_load',
    'One-minute load average of its machine.',
    agents.map(({ name, facts }) => [{ agent: name }, facts.load.average]),
  ),
]
