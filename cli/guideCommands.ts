import type { Env } from '../core/config/settings.ts'
import {
  type Guide,
  type GuideKind,
  guideState,
  listGuides,
  readGuide,
  reviewedText,
  shortHash,
  stateWords,
} from '../core/guides/guide.ts'
import { showHidden } from '../core/guides/hiddenCharacters.ts'
import { lookOver } from '../core/guides/lookOver.ts'
import { removeGuide, reviewGuide } from '../core/guides/reviewGuide.ts'
import { commandLine } from '../core/people/actor.ts'
import { withLedger } from './openLedger.ts'
import { printTable } from './printTable.ts'
import { UsageError } from './reportError.ts'

const commandOf: Record<GuideKind, string> = { skill: 'skills', playbook: 'playbooks' }

const unknown = (kind: GuideKind, name: string): UsageError =>
  new UsageError(`there is no ${kind} ${name}. \`skynet ${commandOf[kind]} list\` shows them.`)

/** One line for each, what waits for a review first. */
export function printGuides(guides: readonly Guide[]): void {
  printTable(
    ['NAME', 'STATE', 'HASH', 'FROM', 'ABOUT'],
    guides.map((guide) => [
      guide.name,
      stateWords[guideState(guide)],
      shortHash(guide.currentHash),
      showHidden(guide.source).slice(0, 60),
      showHidden(guide.description).slice(0, 60),
    ]),
  )
}

/** What there is to look at in a text before it is taken into use, a line each. */
export function printRemarks(text: string): void {
  const remarks = lookOver(text)
  console.log(remarks.length === 0 ? 'Nothing in it stands out. Read it all the same.' : 'Look at:')
  for (const { line, what, excerpt } of remarks) console.log(`  line ${line} ${what}: ${showHidden(excerpt)}`)
}

/** `skynet skills list`, `skynet playbooks list`. */
export async function listGuidesCommand(env: Env, kind: GuideKind, none: string): Promise<void> {
  const guides = await withLedger(env, ({ db }) => listGuides(db, kind))
  if (guides.length === 0) return console.log(none)
  printGuides(guides)
}

/** `show NAME`: the newest text, or with `reviewed` the one that is used. */
export async function showGuideCommand(
  env: Env,
  kind: GuideKind,
  name: string,
  { reviewed = false }: { reviewed?: boolean },
): Promise<void> {
  const text = await withLedger(env, async ({ db }) =>
    reviewed ? reviewedText(db, kind, name) : ((await readGuide(db, kind, name))?.text ?? null),
  )
  if (text === null) throw unknown(kind, name)
  // As a file of SKYNET_PLAYBOOKS_DIR would begin.
  if (kind === 'playbook') console.log(`name: ${name}`)
  console.log(showHidden(text))
}

/**
 * `review NAME` shows the text, what stands out, and its hash; with that hash it says that an owner has read it: from then
 * on it is used.
 */
export async function reviewGuideCommand(
  env: Env,
  kind: GuideKind,
  name: string,
  { hash }: { hash?: string },
): Promise<void> {
  await withLedger(env, async ({ db }) => {
    const guide = await readGuide(db, kind, name)
    if (!guide || guide.removedAt) throw unknown(kind, name)
    if (hash === undefined) return printForReview(guide)
    // All of it: whoever writes a source could make two texts that begin alike in less.
    if (guide.currentHash !== hash.toLowerCase())
      throw new UsageError(
        `${hash} is not the hash of its text. Its text may have changed: read it with \`skynet ${commandOf[kind]} review ${name}\`.`,
      )
    const done = await db.tx((tx) => reviewGuide(tx, { kind, name, hash: guide.currentHash }, commandLine()))
    if (done === 'changed' || done === 'unknown')
      throw new UsageError('its text changed just now. Nothing was reviewed.')
    console.log(done === 'known' ? `${name} was reviewed already.` : `${name} is in use from now on.`)
  })
}

function printForReview(guide: Guide & { text: string }): void {
  const { kind, name, source, currentHash, origins } = guide
  console.log(`${kind} ${name} · ${showHidden(source)} · ${stateWords[guideState(guide)]}`)
  if (origins.length > 0)
    console.log(`Learned from a run that had in view: ${showHidden(origins.join(', '))}`)
  console.log(`\n${showHidden(guide.text)}\n`)
  printRemarks(guide.text)
  if (guideState(guide) !== 'reviewed')
    console.log(
      `To take exactly this text into use:\n\n  skynet ${commandOf[kind]} review ${name} --hash ${currentHash}\n`,
    )
}

/** `remove NAME`: out of use at once. */
export async function removeGuideCommand(env: Env, kind: GuideKind, name: string): Promise<void> {
  await withLedger(env, async ({ db }) => {
    if (!(await db.tx((tx) => removeGuide(tx, { kind, name }, commandLine())))) throw unknown(kind, name)
    const where =
      kind === 'skill'
        ? ' The same text is not offered again; another one of that name is, to be reviewed.'
        : ''
    console.log(`${name} is not used any more.${where}`)
  })
}
