import { clip } from '../planning/clip.ts'
import { describeStep } from './describeStep.ts'
import { errorLines } from './errorLines.ts'
import { isOutside } from './isOutside.ts'
import type { PastFailure, PastRun, PastStep } from './pastRun.ts'
import type { NewMemory } from './storeMemory.ts'

const MAX_STEP = 400

/** What tells a step from others when it is asked whether it failed before. Pure. */
export const likeStep = (run: Pick<PastRun, 'chatId'>, step: Pick<PastStep, 'agentId' | 'cwd' | 'spec'>) =>
  [step.agentId, step.cwd, run.chatId, describeStep(step.spec)] as const

/** Each thing that failed in a run, also where it worked when it was tried again. Pure. */
export const failureMemories = (run: PastRun, failures: readonly PastFailure[]): NewMemory[] =>
  failures.map((failure) => {
    const how = failure.late
      ? 'takes too long'
      : `fails${failure.exitCode === null ? '' : ` with exit ${failure.exitCode}`}`
    return {
      kind: 'failure',
      like: [...likeStep(run, failure), failure.late ? 'late' : failure.exitCode],
      text: `On ${run.machine ?? 'a machine'} in ${failure.cwd} this ${how}: ${clip(describeStep(failure.spec), MAX_STEP)}`,
      seen: failure.said ? errorLines(failure.said) : null,
      outside: isOutside(run),
      succeeded: false,
      personId: run.personId,
      chatId: run.chatId,
      agentId: failure.agentId,
      cwd: failure.cwd,
      runId: run.id,
      source: `attempt:${failure.attemptId}`,
      at: failure.at,
    }
  })
