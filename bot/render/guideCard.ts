import { type Guide, guideState, shortHash, stateWords } from '../../core/guides/guide.ts'
import type { Remark } from '../../core/guides/lookOver.ts'
import type { SourceFault } from '../../core/skills/lookForSkills.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml } from './html.ts'
import { reveal, unmask } from './unmask.ts'

/** Of a kind, in one message; the command line lists all. */
const MOST = 8
const REMARKS = 8
/** A text up to this is shown in the message itself; a longer one is a document before it. */
export const SHORT_TEXT = 2400

const shown = (text: string, max: number): string => escapeHtml(clip(reveal(text), max))

const guideLine = (guide: Guide): string =>
  `${guideState(guide) === 'reviewed' ? '✓' : '○'} ${bold(guide.name)} · ${stateWords[guideState(guide)]}\n${shown(guide.description, 100)}`

const linesOf = (guides: readonly Guide[], none: string): string[] => [
  ...(guides.length === 0 ? [none] : guides.slice(0, MOST).map(guideLine)),
  ...(guides.length > MOST ? [`and ${guides.length - MOST} more`] : []),
]

/** What guides planning here: skills, learned playbooks, and what cannot be used. Pure. */
export function renderGuides(
  skills: readonly Guide[],
  playbooks: readonly Guide[],
  faults: readonly SourceFault[],
  hasModel: boolean,
): { html: string; buttons: Buttons } {
  const lines = [
    bold('Skills'),
    ...linesOf(skills, 'None. <code>skynet skills add</code> on the machine takes one in.'),
    ...faults
      .slice(0, MOST)
      .map(({ source, fault }) => `✗ ${code(clip(reveal(source), 80))}: ${shown(fault, 160)}`),
    ...(faults.length > MOST ? [`and ${faults.length - MOST} more faults: skynet doctor`] : []),
    ...(skills.length > 0 && !hasModel
      ? ['No language model is set: skills guide nothing until one is.']
      : []),
    '',
    bold('Learned playbooks'),
    ...linesOf(playbooks, 'None. <code>Keep as playbook</code> stands under a run that went well.'),
  ]
  const buttons = [...skills.slice(0, MOST), ...playbooks.slice(0, MOST)].map((guide): Buttons[number] => [
    {
      text: clip(`${guideState(guide) === 'reviewed' ? '' : 'Review '}${guide.name}`, 60),
      action: { do: 'guide', kind: guide.kind, name: guide.name },
    },
  ])
  return { html: lines.join('\n'), buttons }
}

export type GuideContext = {
  remarks: readonly Remark[]
  /** Whether the text goes along as a document. */
  asDocument: boolean
  /** Whether a part of it looks like a secret, and is not shown in the chat. */
  withheld: boolean
  owner: boolean
}

/** One skill or learned playbook with its text, what stands out in it, and what an owner can do. Pure. */
export function renderGuide(
  guide: Guide & { text: string },
  { remarks, asDocument, withheld, owner }: GuideContext,
): { html: string; buttons: Buttons } {
  const waits = guideState(guide) !== 'reviewed'
  const lines = [
    `${bold(`${guide.kind} ${guide.name}`)} · ${stateWords[guideState(guide)]}`,
    `from ${code(clip(reveal(guide.source), 120))} · SHA-256 ${code(shortHash(guide.currentHash))}`,
    ...(guide.origins.length > 0
      ? [`Its run had ${shown(guide.origins.join(', '), 120)} in view: what it writes is always asked for.`]
      : []),
    ...remarks
      .slice(0, REMARKS)
      .map(
        ({ line, what, excerpt }) => `⚠️ line ${line} ${escapeHtml(what)}: ${code(clip(reveal(excerpt), 90))}`,
      ),
    ...(remarks.length > REMARKS ? [`and ${remarks.length - REMARKS} more places to look at`] : []),
    ...(withheld
      ? ['A part looks like a secret and is not shown here. Review it on the machine: skynet skills review.']
      : []),
    asDocument
      ? 'The whole text is in the document above.'
      : `<pre>${escapeHtml(unmask(guide.text).trimEnd())}</pre>`,
    ...(waits && !owner ? ['It does nothing until an owner has reviewed it: /skills.'] : []),
  ]
  return { html: lines.join('\n'), buttons: owner ? guideButtons(guide, waits && !withheld) : [] }
}

function guideButtons({ kind, name, currentHash }: Guide, canReview: boolean): Buttons {
  const review = { do: 'review_guide' as const, kind, name, hash: currentHash, sure: false }
  const remove = {
    text: 'Remove',
    style: 'danger' as const,
    action: { do: 'remove_guide' as const, kind, name, sure: false },
  }
  const rename = { text: 'Rename', action: { do: 'rename_guide' as const, name } }
  return [
    ...(canReview ? [[{ text: 'Use this text', style: 'success' as const, action: review }]] : []),
    kind === 'playbook' ? [rename, remove] : [remove],
  ]
}
