import type { Deps } from '../deps.ts'
import { draftWords } from './draftWords.ts'

/** A draft is told at most this often, and again after a while though it is the same: a preview fades. */
const GAP_MS = 300
const AGAIN_MS = 12_000

/**
 * Tells over the bus what a model has written so far of a run's plan: at once that it thinks, then its words as they
 * come. Nobody has to listen. `begin` when a model is about to be asked, `end` once it is over.
 */
export function tellDraft(
  deps: Pick<Deps, 'bus'>,
  runId: string,
): { begin(): void; onText(soFar: string): void; end(): void } {
  let soFar = ''
  let told: string | null = null
  let due: NodeJS.Timeout | null = null
  const tell = (): void => {
    due = null
    const text = draftWords(soFar)
    if (text === told) return
    told = text
    deps.bus.publish('plan.draft', { runId, text, over: false })
  }
  let again: NodeJS.Timeout | null = null
  return {
    begin: () => {
      again ??= setInterval(() => {
        told = null
        tell()
      }, AGAIN_MS)
      tell()
    },
    onText: (text) => {
      soFar = text
      due ??= setTimeout(tell, GAP_MS)
    },
    end: () => {
      if (!again) return
      clearInterval(again)
      if (due) clearTimeout(due)
      deps.bus.publish('plan.draft', { runId, text: '', over: true })
    },
  }
}
