import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Env } from '../core/config/settings.ts'
import { FetchRefused } from '../core/fetch/safeFetch.ts'
import { listGuides, shortHash } from '../core/guides/guide.ts'
import { showHidden } from '../core/guides/hiddenCharacters.ts'
import { commandLine } from '../core/people/actor.ts'
import { fetchSkill, listSkillFaults, lookForSkillsOnce, storeSkill } from '../core/skills/lookForSkills.ts'
import { readSkillFile } from '../core/skills/readDirectory.ts'
import { SkillFault } from '../core/skills/readSkill.ts'
import { printGuides, printRemarks } from './guideCommands.ts'
import { type Ledger, withLedger } from './openLedger.ts'
import { UsageError } from './reportError.ts'

/** `skynet skills list`: what there is, whether it is used, and what cannot be. */
export async function listSkillsCommand(env: Env): Promise<void> {
  await withLedger(env, async (ledger) => {
    await lookForSkillsOnce({ db: ledger.db, settings: { skills: { ...ledger.config.skills, urls: [] } } })
    await printSkills(ledger)
  })
}

async function printSkills({ db, config }: Ledger): Promise<void> {
  const skills = await listGuides(db, 'skill')
  const faults = await listSkillFaults(db, config.skills)
  if (skills.length > 0) printGuides(skills)
  else
    console.log(
      config.skills.dir === null
        ? 'No skills. `skynet skills add PATH` adds one; SKYNET_EXTERNAL_SKILLS_DIR names a directory of them.'
        : `No skills in ${config.skills.dir}.`,
    )
  for (const { source, fault } of faults) console.log(`✗ ${showHidden(source)}: ${showHidden(fault)}`)
}

/** `skynet skills refresh`: looks at the directory and at every address now. */
export async function refreshSkillsCommand(env: Env): Promise<void> {
  await withLedger(env, async (ledger) => {
    const { db, config } = ledger
    await db.query("UPDATE skill_source SET looked_at = 'epoch' WHERE source = ANY($1)", [config.skills.urls])
    await lookForSkillsOnce({ db, settings: { skills: config.skills } })
    await printSkills(ledger)
  })
}

/** `skynet skills add PATH|URL`: takes one SKILL.md into the ledger, inert. */
export async function addSkillCommand(env: Env, place: string): Promise<void> {
  await withLedger(env, async ({ db, config }) => {
    const { source, text } = await readPlace(place, config.skills.hosts)
    const stored = await db
      .tx((tx) => storeSkill(tx, source, text, commandLine()))
      .catch((error: unknown) => {
        throw explained(place, error)
      })
    if (stored.kind === 'taken')
      throw new UsageError(
        `there is a skill ${stored.name} already, from ${stored.source}. Remove that one first, or rename this.`,
      )
    const { name, hash } = stored
    console.log(
      stored.kind === 'known'
        ? `${name} is there already.`
        : `${name} (${shortHash(hash)}) waits for a review; nothing uses it yet.`,
    )
    printRemarks(text)
    console.log(`Read it: skynet skills review ${name}`)
  })
}

const explained = (place: string, error: unknown): unknown =>
  error instanceof SkillFault || error instanceof FetchRefused
    ? new UsageError(`${place}: ${error.message.replace(/\.$/, '')}.`)
    : error

async function readPlace(place: string, hosts: readonly string[]): Promise<{ source: string; text: string }> {
  try {
    if (/^[a-z]+:\/\//i.test(place)) return { source: place, text: await fetchSkill(place, hosts) }
    const path = resolve(place)
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
    const source = isDirectory ? join(path, 'SKILL.md') : path
    return { source, text: await readSkillFile(source) }
  } catch (error) {
    throw explained(place, error)
  }
}
