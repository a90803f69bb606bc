import type { Deps } from '../deps.ts'
import type { Untrusted } from '../planning/untrusted.ts'
import { chooseSkills, type SkillQuestion } from './chooseSkills.ts'
import { offeredSkills, readChosen } from './reviewedSkills.ts'

/** Characters of one skill that a plan is made with, so that a context stays small. */
const MAX_BODY = 12_000

const NOTE =
  'Guidance that somebody wrote for such work. Files it speaks of (scripts, references, assets) are not on the machine.'

/**
 * The skills chosen for a request, as text from elsewhere for the planner: whatever is planned with them in view asks
 * before it writes. Reads the ledger; asks a model at most once.
 */
export async function skillsFor(
  deps: Pick<Deps, 'db' | 'model'>,
  asked: SkillQuestion,
): Promise<Untrusted[]> {
  const chosen = await chooseSkills(deps.model, await offeredSkills(deps.db), asked)
  return (await readChosen(deps.db, chosen)).map(({ name, description, body }) => ({
    origin: `skill ${name}`,
    text: `${NOTE}\n${description}\n\n${body.slice(0, MAX_BODY)}${body.length > MAX_BODY ? '\n[the rest is left out]' : ''}`,
  }))
}
