import { clip } from '../planning/clip.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import { describeStep } from './describeStep.ts'
import { errorLines } from './errorLines.ts'
import { isOutside } from './isOutside.ts'
import type { PastRun, PastStep } from './pastRun.ts'
import type { NewMemory } from './storeMemory.ts'

/** How a run can end, in words; one that goes on again is remembered at its next end. */
const endings: Record<string, string> = {
  succeeded: 'It worked.',
  failed: 'It failed',
  denied: 'The plan was denied by a person.',
  refused: 'Policy refused the plan',
  cancelled: 'It was cancelled.',
}
export const hasEnded = ({ status }: Pick<PastRun, 'status'>): boolean => Object.hasOwn(endings, status)

const MAX_REQUEST = 400
const MAX_STEP = 160
const MAX_STEPS = 12

/** What a run came to: what was asked, done, worked and failed. Null where nothing was done or decided. Pure. */
export function taskMemory(run: PastRun, steps: readonly PastStep[], at: Date): NewMemory | null {
  const done = steps.filter(({ status }) => status === 'succeeded' || status.startsWith('failed'))
  const unstarted = run.status === 'denied' || run.status === 'refused'
  const shown = unstarted ? steps : done
  if (shown.length === 0) return null
  const failed = done.find(({ status }) => status !== 'succeeded')
  const agentId = run.agentId ?? shown[0]?.agentId ?? null
  const cwd = run.cwd ?? shown[0]?.cwd ?? null
  return {
    kind: 'task',
    // Whose it is belongs to it: what somebody else has done for the same request is another memory, trusted as theirs.
    like: [agentId, cwd, run.chatId, run.personId, tidyRequest(run.request).toLowerCase()],
    text: [
      `Asked: ${clip(run.request, MAX_REQUEST)}`,
      `On ${run.machine ?? 'a machine'} in ${cwd ?? '/'}. ${unstarted ? 'Planned' : 'Done'}: ${stepsLine(shown)}.`,
      endingLine(run, failed),
    ].join('\n'),
    seen: failed?.said ? errorLines(failed.said) : null,
    outside: isOutside(run),
    succeeded: run.status === 'succeeded',
    personId: run.personId,
    chatId: run.chatId,
    agentId,
    cwd,
    runId: run.id,
    source: `run:${run.id}`,
    at,
  }
}

function stepsLine(steps: readonly PastStep[]): string {
  const lines = steps.slice(0, MAX_STEPS).map((step) => {
    const how = howItEnded(step)
    return `${clip(describeStep(step.spec), MAX_STEP)}${how ? ` (${how})` : ''}`
  })
  const more = steps.length - lines.length
  return `${lines.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

function howItEnded({ status, exitCode }: PastStep): string | null {
  if (status === 'succeeded') return 'ok'
  if (!status.startsWith('failed')) return null
  return status === 'failed_timeout' ? 'took too long' : exitCode === null ? 'failed' : `exit ${exitCode}`
}

function endingLine(run: PastRun, failed: PastStep | undefined): string {
  const ending = endings[run.status] ?? ''
  if (run.status === 'failed')
    return `${ending}${failed ? ` at: ${clip(describeStep(failed.spec), MAX_STEP)}` : ''}.`
  if (run.status === 'refused') return `${ending}${run.error?.rule ? ` by rule ${run.error.rule}` : ''}.`
  return ending
}
