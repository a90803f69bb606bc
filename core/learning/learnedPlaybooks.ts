import { guideReader } from '../guides/usableGuides.ts'
import { PlaybookError } from '../planning/loadPlaybooks.ts'
import type { Playbook } from '../planning/playbook.ts'
import type { Sql } from '../storage/sql.ts'
import { readLearned } from './proposePlaybook.ts'

const readReviewed = guideReader('playbook', (name, text) => {
  try {
    return readLearned(name, text, [])
  } catch (error) {
    if (error instanceof PlaybookError) return null
    throw error
  }
})

/**
 * The learned playbooks that an owner has reviewed, as they are in the ledger now. One with the name of a shipped playbook
 * (or of the person's own directory) is left out: those go first. For a request of a group: those of its own runs alone.
 */
export async function learnedPlaybooks(
  sql: Sql,
  shipped: readonly Playbook[],
  chatId: number | null = null,
): Promise<Playbook[]> {
  const names = new Set(shipped.map(({ name }) => name))
  return (await readReviewed(sql, chatId ?? undefined))
    .filter(({ name }) => !names.has(name))
    .map(({ value, origins }) => ({ ...value, learned: { origins } }))
}
