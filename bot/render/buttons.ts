import { createHash } from 'node:crypto'
import { z } from 'zod'
import { standingKinds } from '../../core/approvals/standing.ts'
import { guideKinds } from '../../core/guides/guide.ts'
import { entitlementKinds } from '../../core/people/entitlements.ts'
import { recoveryModes } from '../../core/recovery/ladder.ts'

/** What a button does. It is kept in the ledger; Telegram carries an opaque id of 22 characters. */
export const ButtonAction = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('decide'),
    approvalId: z.uuid(),
    planHash: z.string(),
    decision: z.enum(['approved', 'denied']),
  }),
  /** The first tap on a high risk: shows `Yes, on laptop` in place of `Approve`. */
  z.strictObject({ do: z.literal('arm'), approvalId: z.uuid(), planHash: z.string(), armed: z.boolean() }),
  z.strictObject({ do: z.enum(['details', 'revise']), approvalId: z.uuid() }),
  /** Revises a plan: leaves one task out, or moves the plan to another place. */
  /** Asks in what words the plan should be changed. */
  z.strictObject({ do: z.literal('say_change'), approvalId: z.uuid() }),
  z.strictObject({ do: z.enum(['drop', 'edit']), approvalId: z.uuid(), taskKey: z.string() }),
  z.strictObject({ do: z.literal('move'), approvalId: z.uuid(), agentId: z.uuid(), cwd: z.string() }),
  z.strictObject({
    do: z.enum(['cancel', 'pause', 'resume', 'logs', 'again', 'card', 'elsewhere']),
    runId: z.uuid(),
  }),
  z.strictObject({ do: z.enum(['retry', 'release']), runId: z.uuid(), taskId: z.uuid().nullable() }),
  /** Sends this text as if the person had written it. */
  z.strictObject({ do: z.literal('say'), text: z.string().max(1000), forwarded: z.boolean().optional() }),
  /** Asks for the details of a request, with a text that has them. */
  z.strictObject({ do: z.literal('details_of'), title: z.string(), example: z.string() }),
  z.strictObject({ do: z.literal('use'), agentId: z.uuid(), cwd: z.string() }),
  /** A place picked for a request that waits for one. */
  z.strictObject({
    do: z.literal('start'),
    kind: z.enum(['command', 'request']),
    text: z.string(),
    agentId: z.uuid(),
    cwd: z.string(),
    /** The run it takes the place of: that one is cancelled. */
    instead: z.uuid().optional(),
    /** Its words are somebody else's, sent on. */
    forwarded: z.boolean().optional(),
  }),
  /** An answer inside a conversation. */
  z.strictObject({ do: z.literal('answer'), value: z.string().max(4200) }),
  z.strictObject({ do: z.literal('add_machine') }),
  /** Shows one memory, a page of them (of a search, where there are words), or those that a plan was made with. */
  z.strictObject({ do: z.enum(['correct_memory', 'undo_memory']), id: z.int() }),
  /** `back`: in place of the message that asked. */
  z.strictObject({ do: z.literal('memory'), id: z.int(), back: z.boolean().optional() }),
  /** `found`: what a search found, by number: the words that were searched for are kept nowhere. */
  z.strictObject({
    do: z.literal('memories'),
    found: z.array(z.int()).max(50).optional(),
    offset: z.int().min(0),
  }),
  z.strictObject({ do: z.literal('memories_of'), runId: z.uuid() }),
  /** The first tap only asks whether it is meant. */
  z.strictObject({ do: z.literal('forget_memory'), id: z.int(), sure: z.boolean() }),
  /** Shows for how long more than this once can be approved; and approves it so. */
  z.strictObject({ do: z.literal('more'), approvalId: z.uuid(), planHash: z.string() }),
  z.strictObject({
    do: z.literal('stand'),
    approvalId: z.uuid(),
    planHash: z.string(),
    kind: z.enum(standingKinds),
  }),
  z.strictObject({ do: z.literal('unstand'), standingId: z.uuid() }),
  /** Asks once more about a plan whose approval has expired. */
  z.strictObject({ do: z.literal('ask_again'), approvalId: z.uuid() }),
  z.strictObject({ do: z.enum(['settings', 'people', 'skills']) }),
  z.strictObject({ do: z.literal('person'), personId: z.uuid() }),
  z.strictObject({
    do: z.literal('entitle'),
    personId: z.uuid(),
    kind: z.enum(entitlementKinds),
    target: z.string().max(64),
    on: z.boolean(),
  }),
  /** Chooses what follows a failure by itself. */
  z.strictObject({ do: z.literal('recovery'), mode: z.enum(recoveryModes) }),
  z.strictObject({ do: z.literal('machine'), agentId: z.uuid() }),
  /** The first tap only asks whether it is meant. */
  z.strictObject({ do: z.literal('revoke_machine'), agentId: z.uuid(), sure: z.boolean() }),
  /** Locks down, or leaves it: for the person alone who was asked. */
  z.strictObject({ do: z.literal('lock_down'), personId: z.uuid(), sure: z.boolean() }),
  /** Keeps a run that went well as a playbook; nothing uses it before it is reviewed. */
  z.strictObject({ do: z.literal('keep'), runId: z.uuid() }),
  z.strictObject({ do: z.literal('guide'), kind: z.enum(guideKinds), name: z.string().max(64) }),
  /** Takes exactly the text with this hash into use. The first tap only asks whether it is meant. */
  z.strictObject({
    do: z.literal('review_guide'),
    kind: z.enum(guideKinds),
    name: z.string().max(64),
    hash: z.string().length(64),
    sure: z.boolean(),
  }),
  z.strictObject({
    do: z.literal('remove_guide'),
    kind: z.enum(guideKinds),
    name: z.string().max(64),
    sure: z.boolean(),
  }),
  z.strictObject({ do: z.literal('rename_guide'), name: z.string().max(64) }),
  z.strictObject({
    do: z.literal('review'),
    runId: z.uuid(),
    taskId: z.uuid(),
    verdict: z.enum(['again', 'skip']),
  }),
])
export type ButtonAction = z.infer<typeof ButtonAction>

export type Button = { text: string; action: ButtonAction; style?: 'danger' | 'success' | 'primary' }
export type Buttons = Button[][]

/** Ids of answers begin so: a conversation knows its own taps by that, without asking the ledger. */
export const ANSWER_PREFIX = 'A.'

/** The id that Telegram carries for an action: the same action always has the same. 22 bytes of at most 64. */
export function buttonId(action: ButtonAction): string {
  const hash = createHash('sha256').update(JSON.stringify(action)).digest('base64url')
  return action.do === 'answer' ? ANSWER_PREFIX + hash.slice(0, 20) : hash.slice(0, 22)
}

/** Buttons in Telegram's terms. */
export const keyboard = (buttons: Buttons) => ({
  inline_keyboard: buttons.map((row) =>
    row.map(({ text, action, style }) => ({
      text,
      callback_data: buttonId(action),
      ...(style ? { style } : {}),
    })),
  ),
})
