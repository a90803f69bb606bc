import type { BotCommand } from 'grammy/types'
import { badRequest } from '../apiError.ts'
import { type Params, structure, text } from '../readParams.ts'
import type { World } from '../world.ts'
import type { Method } from './method.ts'

export const setMyCommands: Method = (world, params) => {
  const given = structure(params, 'commands')
  if (!Array.isArray(given)) throw badRequest("can't parse commands: expected an Array of BotCommand")
  if (given.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH')
  return keep(world, params, given.map(checkCommand))
}

export const deleteMyCommands: Method = (world, params) => keep(world, params, [])

export const getMyCommands: Method = (world, params) => world.store.state.commands.get(scopeKey(params)) ?? []

function keep(world: World, params: Params, commands: BotCommand[]): true {
  world.store.record({ kind: 'commands', scope: scopeKey(params), commands })
  world.hub.publish({ type: 'commands', commands: menuOf(world, world.options.visitor.id) })
  return true
}

function checkCommand(given: unknown): BotCommand {
  const { command = '', description = '' }: Partial<BotCommand> = Object(given)
  const name = command.replace(/^\//, '')
  if (!/^[a-z0-9_]{1,32}$/.test(name)) throw badRequest('BOT_COMMAND_INVALID')
  if (description.length < 1 || description.length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
  return { command: name, description }
}

function scopeKey(params: Params): string {
  const scope: Record<string, unknown> = Object(structure(params, 'scope') ?? {})
  const language = text(params, 'language_code') ?? ''
  return [scope.type ?? 'default', scope.chat_id ?? '', scope.user_id ?? '', language].join(' ').trimEnd()
}

/** The menu a private chat shows: its own, that of all private chats, or the default. */
export function menuOf(world: Pick<World, 'store'>, chatId: number): BotCommand[] {
  const scopes = [`chat ${chatId}`, 'all_private_chats', 'default']
  const lists = scopes.map((scope) => world.store.state.commands.get(scope))
  return lists.find((list) => list && list.length > 0) ?? []
}
