import type { BotContext } from './context.ts'
import { ButtonAction } from './render/buttons.ts'

/** What the tapped button stands for; null when it is unknown or too old. */
export async function actionOf(ctx: BotContext): Promise<ButtonAction | null> {
  const id = ctx.callbackQuery?.data ?? ''
  if (!/^[A-Za-z0-9_.-]{22}$/.test(id)) return null
  const [row] = await ctx.turn.tx.query<{ action: unknown }>('SELECT action FROM button WHERE id = $1', [id])
  const parsed = ButtonAction.safeParse(row?.action)
  return parsed.success ? parsed.data : null
}
