import type { ControlConfig } from '../../core/config/control.ts'
import { guideState, listGuides } from '../../core/guides/guide.ts'
import { showHidden } from '../../core/guides/hiddenCharacters.ts'
import { learnedPlaybooks } from '../../core/learning/learnedPlaybooks.ts'
import { loadPlaybooks } from '../../core/planning/loadPlaybooks.ts'
import { listSkillFaults } from '../../core/skills/lookForSkills.ts'
import { readSkillDirectory } from '../../core/skills/readDirectory.ts'
import { readSkill, SkillFault } from '../../core/skills/readSkill.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { type Finding, look, ok, wrong } from './finding.ts'

/** Faults that are told one by one. */
const MOST = 10
const mend = 'Mend the file or take it away; `skynet skills list` looks again.'

/** Skills that cannot be read, and what waits for a review. Looks at the directory itself; changes nothing. */
export async function checkSkills({ skills, playbooksDir }: ControlConfig, db: Sql): Promise<Finding[]> {
  const known = await listGuides(db, 'skill')
  const learned = await listGuides(db, 'playbook')
  const broken = [...(await faultsIn(skills.dir)), ...(await listSkillFaults(db, skills)).map(lineOf)]
  const lines = [...new Set(broken)]
  const waiting = [...known, ...learned].filter((guide) => guideState(guide) !== 'reviewed')
  const inUse = [...known, ...learned].length - waiting.length
  const unusable = learned.length > 0 ? await hiddenPlaybooks(db, playbooksDir) : []
  if (known.length + learned.length + lines.length === 0) return []
  return [
    ...lines.slice(0, MOST).map((line) => wrong('skills', line, mend)),
    ...(lines.length > MOST ? [look('skills', `and ${lines.length - MOST} more that cannot be used`)] : []),
    ...unusable.map((name) =>
      look('playbooks', `${name} is not used: another playbook has its name, or its form is not known`),
    ),
    ok('skills', `${inUse} reviewed and in use, ${waiting.length} waiting for a review (/skills)`),
  ]
}

const lineOf = ({ source, fault }: { source: string; fault: string }): string =>
  `${showHidden(source)}: ${showHidden(fault)}`

async function faultsIn(dir: string | null): Promise<string[]> {
  if (dir === null) return []
  return (await readSkillDirectory(dir)).flatMap((file) => {
    if ('fault' in file) return [lineOf(file)]
    try {
      readSkill(file.text)
      return []
    } catch (error) {
      if (error instanceof SkillFault) return [lineOf({ source: file.source, fault: error.message })]
      throw error
    }
  })
}

/** Reviewed playbooks that are not offered all the same. */
async function hiddenPlaybooks(db: Sql, dir: string | null): Promise<string[]> {
  const offered = new Set((await learnedPlaybooks(db, await loadPlaybooks(dir))).map(({ name }) => name))
  return (await listGuides(db, 'playbook'))
    .filter((guide) => guide.reviewedHash !== null && !offered.has(guide.name))
    .map(({ name }) => name)
}
