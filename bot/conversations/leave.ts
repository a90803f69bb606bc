import type { BotContext } from '../context.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/** How each dialog is come back to, in HTML. */
const waysBack = {
  request: '/plan asks again',
  editCommand: 'Revise on its card asks again',
  sayChange: 'Revise on its card asks again',
  correctMemory: '/memory has it',
  renamePlaybook: '/skills has it',
} as const
export type Dialog = keyof typeof waysBack

const open = (ctx: BotContext): string[] =>
  Object.entries(ctx.conversation.active()).flatMap(([name, count]) => (count > 0 ? [name] : []))

/** Leaves what the bot asks at the moment; false when it asks nothing. It says nothing. */
export async function leaveQuestion(ctx: BotContext): Promise<boolean> {
  if (open(ctx).length === 0) return false
  await ctx.conversation.exitAll()
  return true
}

/**
 * Puts aside what the bot asks at the moment for something else that was asked for, and says so in one line with the way
 * back. `again`: the dialog that is begun anew by it, of which there is nothing to say.
 */
export async function putAside(deps: BotDeps, ctx: BotContext, again?: Dialog): Promise<void> {
  const left = open(ctx)
  if (!(await leaveQuestion(ctx))) return
  const ways = [
    ...new Set(left.flatMap((name) => (name !== again && isDialog(name) ? [waysBack[name]] : []))),
  ]
  if (ways.length > 0)
    await reply(deps, ctx.turn, `I put my question aside for this; nothing came of it. ${ways.join(', ')}.`)
}

const isDialog = (name: string): name is Dialog => Object.hasOwn(waysBack, name)
