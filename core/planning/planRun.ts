import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { listMachines, type Machine } from '../fleet/machineFacts.ts'
import { learnedPlaybooks } from '../learning/learnedPlaybooks.ts'
import { isLockedDown } from '../people/lockdown.ts'
import { PlanSpec } from '../protocol/specs.ts'
import { isWorkerStopping } from '../queue/stopReason.ts'
import { NOT_UNDERSTOOD } from '../runs/notUnderstood.ts'
import { skillsFor } from '../skills/skillsFor.ts'
import { RevisionWish } from './askRevision.ts'
import { bestMachine } from './bestMachine.ts'
import { commitRevision, type Made, seeRevision } from './commitRevision.ts'
import { gatherContext } from './gatherContext.ts'
import { type PlanningRun, releaseRun, takeRun, whileWanted } from './holdRun.ts'
import { type PlaceFacts, planRequest } from './planRequest.ts'
import { planRevision } from './planRevision.ts'
import { pastFor } from './readPast.ts'
import type { Pasted } from './readPasted.ts'
import { tellDraft } from './tellDraft.ts'
import { withForwarded } from './untrusted.ts'

const MAX_TRIES = 3

type PlanDeps = Pick<
  Deps,
  | 'db'
  | 'bus'
  | 'wake'
  | 'log'
  | 'clock'
  | 'policy'
  | 'playbooks'
  | 'model'
  | 'memory'
  | 'settings'
  | 'gatewayToken'
  | 'redact'
>
export type RunFault = {
  code: string
  message: string
  hint?: string
  /** The exact fault, for records and logs; people are told `message`. */
  details?: string
  /** Playbooks near to the request; `request` null: it needs details, such as those of `example`. */
  nearest?: { title: string; request?: string | null; example: string }[]
  /** The log in a request that nobody understood. */
  pasted?: Pasted
  rule?: string
  risk?: string
  command?: string
}

/**
 * Plans one run that is in `planning`: makes the plan, has policy judge every task, and leaves the run refused,
 * waiting for approval, running or failed. Safe to call twice at once: the second finds the run taken. `signal`: the
 * worker stops, or has lost the job; what is asked is broken off, and another worker has the run at once. Only the
 * stop costs the run no try.
 */
export async function planRun(
  deps: PlanDeps,
  runId: string,
  signal: AbortSignal,
): Promise<'planned' | 'taken' | 'left'> {
  const run = await takeRun(deps, runId)
  if (!run) return 'taken'
  if (run.planning_tries > MAX_TRIES) {
    await endPlanning(deps, runId, 'failed', {
      code: 'PLANNING_FAILED',
      message: 'Planning broke off three times.',
      hint: 'Ask again in other words.',
    })
    return 'planned'
  }
  const wanted = whileWanted(deps, run, signal)
  try {
    if (await isLockedDown(deps.db)) {
      await endPlanning(deps, runId, 'failed', {
        code: 'LOCKED_DOWN',
        message: 'Everything is locked down; nothing starts.',
        hint: 'An owner lifts it on the machine: skynet lockdown --lift',
      })
      return 'planned'
    }
    const machines = await listMachines(deps.db)
    const made = await makePlan(deps, run, machines, wanted.signal)
    if ('fault' in made) {
      if (made.fault.details) deps.log.warn(`planning of ${runId}: ${deps.redact(made.fault.details)}`)
      await endPlanning(deps, runId, 'failed', made.fault)
    } else {
      const source = withForwarded(made.source, run.forwarded)
      await commitPlan(deps, run, { ...made, source }, machines)
    }
    return 'planned'
  } catch (error) {
    if (wanted.isOver()) return 'planned'
    await releaseRun(deps, run, isWorkerStopping(signal))
    if (signal.aborted) return 'left'
    throw error
  } finally {
    wanted.stop()
  }
}

async function makePlan(
  deps: PlanDeps,
  run: PlanningRun,
  machines: Machine[],
  signal: AbortSignal,
): Promise<(Made & { by?: string }) | { fault: RunFault }> {
  const machine =
    machines.find((m) => m.agentId === run.agent_id) ?? (await bestMachine(deps.db, run, machines))
  if (!machine)
    return {
      fault: {
        code: 'NO_MACHINE',
        message: 'No machine is connected yet.',
        hint: 'Start one with `skynet agent`.',
      },
    }
  const place = placeFacts(machine, run.cwd ?? machine.facts.roots[0] ?? '/')
  const version = run.plan_version + 1
  const wish = RevisionWish.safeParse(run.revision).data
  if (run.kind === 'command' && !wish)
    return { plan: commandPlan(run.request, place, version), source: { kind: 'command' } }
  const past = await pastFor(deps, run, place, signal)
  const forRun = { id: run.id, personId: run.person_id }
  const guidance = () => skillsFor(deps, { request: run.request, forRun, signal })
  const learned = await learnedPlaybooks(deps.db, deps.playbooks, run.chat_id)
  const draft = tellDraft(deps, run.id)
  const gather = () => {
    draft.begin()
    return gatherContext(deps, { place: past.place, machine, forRun, signal })
  }
  if (wish) {
    const revising = { run, wish, place: past.place, signal, gather, onText: draft.onText }
    return { ...(await planRevision(deps, revising).finally(draft.end)), by: wish.by }
  }
  const { request } = run
  const { onText } = draft
  const outcome = await planRequest(deps, {
    ...{ request, version, signal, learned, guidance, gather, forRun, onText },
    ...past,
  }).finally(draft.end)
  if (outcome.kind === 'planned') return { plan: outcome.plan, source: outcome.source }
  if (outcome.kind === 'failed') {
    const { reason, hint, details } = outcome
    const exact = details === undefined ? {} : { details: deps.redact(details) }
    return { fault: { code: 'PLANNING_FAILED', message: reason, hint, ...exact } }
  }
  return {
    fault: {
      code: NOT_UNDERSTOOD,
      message: 'No playbook understands this request, and no language model is set.',
      hint: outcome.hint,
      nearest: outcome.nearest,
      ...(outcome.pasted ? { pasted: outcome.pasted } : {}),
    },
  }
}

export function placeFacts(machine: Machine, cwd: string): PlaceFacts {
  const { facts } = machine
  const around = facts.repositories
    .filter((r) => cwd === r.path || cwd.startsWith(`${r.path}/`))
    .sort((a, b) => b.path.length - a.path.length)
  return {
    agentId: machine.agentId,
    agentName: machine.name,
    machineId: facts.machine_id,
    platform: facts.platform,
    home: facts.home,
    roots: facts.roots,
    cwd,
    repository: around[0] ?? null,
    repositories: facts.repositories,
    capabilities: facts.capabilities,
  }
}

/** Seconds a `/run` command may take. */
const COMMAND_TIMEOUT_S = 3600

const commandPlan = (command: string, place: PlaceFacts, version: number): PlanSpec =>
  PlanSpec.parse({
    version,
    summary: command.length > 60 ? `${command.slice(0, 59)}…` : command,
    milestones: [],
    tasks: [
      {
        key: '1',
        title: command.length > 40 ? `${command.slice(0, 39)}…` : command,
        depends_on: [],
        spec: {
          action: 'shell',
          params: { command },
          agent_id: place.agentId,
          machine_id: place.machineId,
          cwd: place.cwd,
          required_files: [],
          timeout_s: COMMAND_TIMEOUT_S,
          network: true,
        },
      },
    ],
  })

async function endPlanning(
  deps: Pick<Deps, 'db' | 'bus'>,
  runId: string,
  to: 'failed' | 'refused',
  fault: RunFault,
): Promise<void> {
  await transition(deps.db, 'run', {
    ids: [runId],
    from: ['planning'],
    to,
    set: { error: fault, ended_at: now },
    data: { code: fault.code, message: fault.message },
  })
  deps.bus.publish('run.changed', { runId })
}

async function commitPlan(
  deps: PlanDeps,
  run: PlanningRun,
  { by, ...made }: Made & { by?: string },
  machines: Machine[],
): Promise<void> {
  const seen = await seeRevision(deps, deps.db, run.id, made, machines, by)
  await deps.db.tx(async (tx) => {
    const [row] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
      run.id,
    ])
    if (row?.status !== 'planning') return
    if (by !== undefined) await tx.query('UPDATE run SET revision = NULL WHERE id = $1', [run.id])
    await commitRevision(deps, tx, run.id, made, { machines, seen, by })
  })
  deps.bus.publish('run.changed', { runId: run.id })
}
