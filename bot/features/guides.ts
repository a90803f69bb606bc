import { Composer } from 'grammy'
import { type GuideKind, guideKinds, listGuides, readGuide, shortHash } from '../../core/guides/guide.ts'
import { lookOver } from '../../core/guides/lookOver.ts'
import { removeGuide, renameGuide, reviewGuide } from '../../core/guides/reviewGuide.ts'
import { keepRun, playbookName } from '../../core/learning/keepRun.ts'
import { permits } from '../../core/people/methods.ts'
import { listSkillFaults } from '../../core/skills/lookForSkills.ts'
import type { BotContext } from '../context.ts'
import { putAside } from '../conversations/leave.ts'
import { say, sayDocument } from '../delivery/say.ts'
import { renderGuide, renderGuides, SHORT_TEXT } from '../render/guideCard.ts'
import { bold, clip, code, escapeHtml } from '../render/html.ts'
import { reveal, unmask } from '../render/unmask.ts'
import { here, replace, reply, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

type Which = { kind: GuideKind; name: string }

/** /skills: the texts that guide planning, and what waits for a review. */
export function guides(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('skills', async (ctx) => {
    const name = ctx.match.trim().toLowerCase()
    if (name === '') return showGuides(deps, ctx.turn)
    for (const kind of guideKinds) {
      const guide = await readGuide(ctx.turn.tx, kind, name, ctx.turn.chat.id)
      if (guide && !guide.removedAt) return sayGuide(deps, ctx.turn, guide)
    }
    await reply(deps, ctx.turn, `There is no ${code(clip(reveal(name), 60))}. /skills shows what there is.`)
  })
  return composer
}

export async function showGuides(deps: BotDeps, turn: Turn): Promise<void> {
  const skills = await listGuides(turn.tx, 'skill')
  const playbooks = await listGuides(turn.tx, 'playbook', turn.chat.id)
  const faults = await listSkillFaults(turn.tx, deps.settings.skills)
  const { html, buttons } = renderGuides(skills, playbooks, faults, deps.model !== null)
  await say(turn.tx, deps.bus, here(turn, false), html, { buttons })
}

/** One of them with its whole text: what is shown is what can be reviewed. */
export async function showGuide(deps: BotDeps, turn: Turn, which: Which): Promise<void> {
  const guide = await readGuide(turn.tx, which.kind, which.name, turn.chat.id)
  if (!guide || guide.removedAt) return toast(deps, turn, 'It is gone. /skills shows what there is.')
  await toast(deps, turn)
  await sayGuide(deps, turn, guide)
}

type Shown = NonNullable<Awaited<ReturnType<typeof readGuide>>>

async function sayGuide(deps: BotDeps, turn: Turn, guide: Shown): Promise<void> {
  const text = unmask(guide.text)
  const asDocument = text.length > SHORT_TEXT
  if (asDocument)
    await sayDocument(turn.tx, deps.bus, here(turn, false), {
      name: guide.kind === 'skill' ? `${guide.name}.SKILL.md` : `${guide.name}.yaml`,
      text,
    })
  const { html, buttons } = renderGuide(guide, {
    remarks: guide.kind === 'skill' ? lookOver(guide.text) : [],
    asDocument,
    withheld: deps.redact(text) !== text,
    owner: permits(turn.person, 'tap review_guide'),
  })
  await say(turn.tx, deps.bus, here(turn, false), html, { buttons })
}

/** `Keep as playbook`: proposes one from the run, shown with all its text. */
export async function keep(deps: BotDeps, turn: Turn, runId: string): Promise<void> {
  const kept = await keepRun(deps, turn.tx, runId, turn.person.id)
  if (kept.kind === 'cannot') return toast(deps, turn, kept.reason, true)
  const guide = await readGuide(turn.tx, 'playbook', kept.name, turn.chat.id)
  await toast(deps, turn)
  if (guide) await sayGuide(deps, turn, guide)
}

/** `Use this text`: the first tap says what it means, the second does it. Bound to the hash of what was shown. */
export async function reviewText(
  deps: BotDeps,
  turn: Turn,
  { kind, name, hash, sure }: Which & { hash: string; sure: boolean },
): Promise<void> {
  const short = shortHash(hash)
  if (!sure) {
    await toast(deps, turn)
    const action = { do: 'review_guide' as const, kind, name, hash, sure: true }
    const means =
      kind === 'skill'
        ? 'Plans may then be made with it in view; such a plan asks before it writes.'
        : 'It then answers requests like the one it was learned from; policy and approvals stay as they are.'
    return say(
      turn.tx,
      deps.bus,
      here(turn, false),
      `Have you read all of ${kind} ${bold(name)}, ${code(short)}? ${means}`,
      { buttons: [[{ text: `Yes, use ${short}`, style: 'success', action }]] },
    )
  }
  const done = await reviewGuide(turn.tx, { kind, name, hash }, turn.person.id)
  const over = async (line: string): Promise<void> => {
    await toast(deps, turn, line, line.length > 60)
    await replace(deps, turn, line)
  }
  switch (done) {
    case 'reviewed':
      await toast(deps, turn, 'In use from now on.')
      return replace(
        deps,
        turn,
        `✓ ${kind} ${bold(name)} reviewed by ${escapeHtml(turn.person.name)} · ${code(short)}`,
      )
    case 'known':
      return over('It was reviewed already. Nothing changed.')
    case 'changed':
      return over('Its text is another one now. Nothing changed: /skills shows it.')
    case 'unknown':
      return over('It is gone. Nothing changed.')
  }
}

/** `Remove`: the first tap says what it means, the second does it. */
export async function remove(
  deps: BotDeps,
  turn: Turn,
  { kind, name, sure }: Which & { sure: boolean },
): Promise<void> {
  if (!sure) {
    await toast(deps, turn)
    const action = { do: 'remove_guide' as const, kind, name, sure: true }
    return say(
      turn.tx,
      deps.bus,
      here(turn, false),
      `Remove ${kind} ${bold(name)}? No plan is made with it any more.`,
      {
        buttons: [[{ text: `Yes, remove ${name}`.slice(0, 60), style: 'danger', action }]],
      },
    )
  }
  const done = await removeGuide(turn.tx, { kind, name }, turn.person.id)
  await toast(deps, turn, done ? 'Removed.' : 'It is gone already.')
  await replace(deps, turn, `${kind} ${bold(name)} ${done ? 'is removed' : 'is gone already'}.`)
}

/** `Rename`: a conversation asks for the new name. */
export async function rename(deps: BotDeps, ctx: BotContext, name: string): Promise<void> {
  const guide = await readGuide(ctx.turn.tx, 'playbook', name, ctx.turn.chat.id)
  if (!guide) return toast(deps, ctx.turn, 'It is gone. /skills shows what there is.')
  await toast(deps, ctx.turn)
  await putAside(deps, ctx, 'renamePlaybook')
  await ctx.conversation.enter('renamePlaybook', { name })
}

/** Gives a learned playbook the name that was written. Returns what to say. */
export async function giveName(deps: BotDeps, turn: Turn, name: string, text: string): Promise<string> {
  if (!permits(turn.person, 'tap rename_guide')) return 'Only an owner may rename it. Nothing changed.'
  const wanted = playbookName(text)
  if (wanted === null) return 'That is no name; one is such as <code>deploy-site</code>. Nothing changed.'
  if (deps.playbooks.some((shipped) => shipped.name === wanted))
    return 'A playbook that goes before learned ones has that name. Nothing changed.'
  const done = await renameGuide(turn.tx, { kind: 'playbook', name }, wanted, turn.person.id)
  if (done === 'taken') return 'There is one of that name already. Nothing changed.'
  return done === 'renamed'
    ? `It is called ${bold(wanted)} now. /skills shows it.`
    : 'It is gone. Nothing changed.'
}
