import type { Deps } from '../deps.ts'
import { foreignMachine, mayActIn } from '../people/entitlements.ts'
import { isAcyclic } from '../protocol/specs.ts'
import type { Tx } from '../storage/sql.ts'
import type { PlacedTask } from './placeTask.ts'
import type { IdentifiedTask } from './taskRequest.ts'

/** Why tasks are not taken: a code of docs/errors.md and a sentence. */
export type Fault = { code: string; message: string }

/** Dependencies must be of this batch or known, and lead nowhere in a circle. */
export async function faultOfGraph(tx: Tx, tasks: readonly IdentifiedTask[]): Promise<Fault | null> {
  const own = new Set(tasks.map((task) => task.task_id))
  const outside = [...new Set(tasks.flatMap((task) => task.dependencies))].filter((id) => !own.has(id))
  const found =
    outside.length > 0
      ? await tx.query<{ id: string }>('SELECT id FROM task WHERE id = ANY($1::uuid[])', [outside])
      : []
  const known = new Set(found.map(({ id }) => id))
  const missing = outside.filter((id) => !known.has(id))
  if (missing.length > 0)
    return { code: 'UNKNOWN_DEPENDENCY', message: `There is no task ${missing.join(', ')} to depend on.` }
  const graph = tasks.map((task) => ({
    key: task.task_id,
    depends_on: task.dependencies.filter((id) => own.has(id)),
  }))
  return isAcyclic(graph) ? null : { code: 'CYCLE', message: 'These tasks depend on each other in a circle.' }
}

/** Task ids must differ, and no parameter that people are shown may hold a secret. */
export function faultOfTexts(tasks: readonly IdentifiedTask[], redact: Deps['redact']): Fault | null {
  if (new Set(tasks.map((task) => task.task_id)).size < tasks.length)
    return { code: 'REPEATED_TASK', message: 'Two of these tasks have the same task_id.' }
  if (!tasks.some(({ params }) => holdsSecret(params, redact))) return null
  return {
    code: 'SECRET_IN_TASK',
    message:
      'A command of these tasks holds what looks like a secret. It would stand in the ledger and in process lists: give it to the machine, and let the command read it there.',
  }
}

/** Parameters that become arguments of processes, and are shown to people. */
const shownParams = ['command', 'message', 'path'] as const

const holdsSecret = (params: Record<string, unknown>, redact: Deps['redact']): boolean =>
  shownParams.some((name) => {
    const text = params[name]
    return typeof text === 'string' && redact(text) !== text
  })

/** Whose program asks. */
export type ProgramOf = {
  personId: string | null
  /** The program is a person's: it acts only where they may. */
  isPersons?: boolean
}
/** Whose program it is may not act there. */
export type NotEntitled = { kind: 'not_entitled'; message: string }

/** A program of a person acts where that person may. */
export async function outsideRights(
  tx: Tx,
  { personId, isPersons = false }: ProgramOf,
  placed: readonly PlacedTask[],
): Promise<NotEntitled | null> {
  if (personId === null || !isPersons) return null
  const agentIds = placed.map(({ spec }) => spec.agent_id)
  const foreign = await foreignMachine(tx, personId, agentIds)
  if (foreign !== null) return { kind: 'not_entitled', message: `You may not act on ${foreign}.` }
  if (await mayActIn(tx, personId, 0)) return null
  return { kind: 'not_entitled', message: 'You may act in some chats only, not by programs.' }
}
