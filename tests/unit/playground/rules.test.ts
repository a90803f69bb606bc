import { InlineKeyboard } from 'grammy'
import { describe, expect, test } from 'vitest'
import { createLimiter } from '../../../playground/limits.ts'
import { telegramLimits } from '../../../playground/types.ts'
import { refused, start, visitor } from './setup.ts'

const chat = visitor.id
const tooOld = 'Bad Request: query is too old and response timeout expired or query ID is invalid'

describe('limits', () => {
  const waitOf = (act: () => void): number => {
    try {
      act()
      return 0
    } catch (error) {
      return (error as { parameters: { retry_after: number } }).parameters.retry_after
    }
  }

  test('a chat takes a burst of five, then one a second', () => {
    let now = 0
    const limiter = createLimiter(telegramLimits, () => now)
    for (let i = 0; i < 5; i += 1) limiter.take(1)
    expect(waitOf(() => limiter.take(1))).toBe(1)
    expect(waitOf(() => limiter.take(2))).toBe(0)
    now = 1000
    expect(waitOf(() => limiter.take(1))).toBe(0)
    expect(waitOf(() => limiter.take(1))).toBe(1)
  })

  test('a group takes twenty a minute', () => {
    let now = 0
    const limiter = createLimiter(telegramLimits, () => now)
    for (let i = 0; i < 20; i += 1) {
      limiter.take(-5)
      now += 1000
    }
    expect(waitOf(() => limiter.take(-5))).toBe(40)
    now = 60_000
    expect(waitOf(() => limiter.take(-5))).toBe(0)
  })

  test('all chats together take thirty a second', () => {
    const limiter = createLimiter(telegramLimits, () => 0)
    for (let i = 0; i < 30; i += 1) limiter.take(i)
    expect(waitOf(() => limiter.take(99))).toBe(1)
  })

  test('edits count, and a refusal says how long to wait', async () => {
    const { api } = await start({ limits: { burst: 2, perChatPerSecond: 0.5 } })
    const { message_id } = await api.sendMessage(chat, 'a')
    await api.editMessageText(chat, message_id, 'b')
    expect(await refused(api.editMessageText(chat, message_id, 'c'))).toEqual({
      code: 429,
      description: 'Too Many Requests: retry after 2',
      parameters: { retry_after: 2 },
    })
  })
})

describe('taps', () => {
  const withButton = async (options = {}) => {
    const { playground, api } = await start(options)
    const { message_id } = await api.sendMessage(chat, 'x', {
      reply_markup: new InlineKeyboard().text('Go', 'go'),
    })
    return { playground, api, message_id }
  }

  test('are answered once', async () => {
    const { playground, api, message_id } = await withButton()
    const id = playground.tap(chat, message_id, 'go')
    await api.answerCallbackQuery(id, { text: 'Done', show_alert: true })
    expect(playground.answers()).toEqual([{ callback_query_id: id, text: 'Done', show_alert: true }])
    expect(await refused(api.answerCallbackQuery(id))).toMatchObject({ code: 400, description: tooOld })
    expect(await refused(api.answerCallbackQuery('1'))).toMatchObject({ description: tooOld })
  })

  test('get too old', async () => {
    const { playground, api, message_id } = await withButton({ callbackTtlMs: 20 })
    const id = playground.tap(chat, message_id, 'Go')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await refused(api.answerCallbackQuery(id))).toMatchObject({ description: tooOld })
  })

  test('need a button that is there', async () => {
    const { playground, message_id } = await withButton()
    expect(() => playground.tap(chat, message_id, 'Stop')).toThrow('has no button "Stop" to tap; buttons: Go')
  })
})

describe('people and groups', () => {
  const group = { id: -50, title: 'Ops', members: [visitor, { id: 7, first_name: 'Ben' }] }

  test('a private chat opens with the person’s first message', async () => {
    const { playground, api } = await start()
    playground.say('hi', { from: { id: 7, first_name: 'Ben' } })
    expect((await api.getUpdates())[0]?.message).toMatchObject({
      chat: { id: 7, first_name: 'Ben' },
      from: { id: 7 },
    })
    await api.sendMessage(7, 'hello')
    expect(playground.chat(7)).toHaveLength(2)
  })

  test('privacy mode passes commands and replies to the bot only', async () => {
    const { playground, api } = await start()
    playground.createGroup(group)
    const updates = await api.getUpdates()
    expect(updates[0]?.my_chat_member?.new_chat_member.status).toBe('member')
    expect(updates[1]?.message?.new_chat_members).toHaveLength(1)
    const { message_id } = await api.sendMessage(-50, 'what now?')
    playground.say('chatter', { chat_id: -50 })
    playground.say('/status@other_bot', { chat_id: -50 })
    playground.say('/status', { chat_id: -50 })
    playground.say('go on', { chat_id: -50, reply_to: message_id })
    const seen = await api.getUpdates({ offset: (updates.at(-1)?.update_id ?? 0) + 1 })
    expect(seen.map((update) => update.message?.text)).toEqual(['/status', 'go on'])
  })

  test('topics carry their thread', async () => {
    const { playground, api } = await start()
    playground.createGroup({ ...group, id: -1000000000050, forum: true })
    playground.say('/run ls', { chat_id: -1000000000050, thread_id: 9 })
    expect((await api.getUpdates()).at(-1)?.message).toMatchObject({
      message_thread_id: 9,
      is_topic_message: true,
    })
    const sent = await api.sendMessage(-1000000000050, 'x', { message_thread_id: 9 })
    expect(sent.message_thread_id).toBe(9)
  })

  test('blocked, removed, left and moved chats answer as Telegram does', async () => {
    const { playground, api } = await start()
    playground.setBotAccess(chat, 'blocked')
    expect(await refused(api.sendMessage(chat, 'x'))).toMatchObject({
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
    })
    playground.setBotAccess(chat, 'member')
    await api.sendMessage(chat, 'x')
    playground.createGroup(group)
    playground.setBotAccess(-50, 'kicked')
    expect(await refused(api.sendMessage(-50, 'x'))).toMatchObject({
      code: 403,
      description: 'Forbidden: bot was kicked from the group chat',
    })
    playground.createGroup({ ...group, id: -51 })
    playground.migrateGroup(-51, -1000000000051)
    expect(await refused(api.sendMessage(-51, 'x'))).toMatchObject({
      code: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: -1000000000051 },
    })
    await api.sendMessage(-1000000000051, 'x')
    await api.leaveChat(-1000000000051)
    expect(await refused(api.sendMessage(-1000000000051, 'x'))).toMatchObject({ code: 403 })
  })

  test('members and administrators', async () => {
    const { playground, api } = await start()
    playground.createGroup(group)
    expect(await api.getChat(-50)).toMatchObject({ id: -50, type: 'group', title: 'Ops' })
    expect(await api.getChatAdministrators(-50)).toMatchObject([
      { status: 'creator', user: { id: visitor.id } },
    ])
    expect(await api.getChatMember(-50, 7)).toMatchObject({ status: 'member' })
    expect(await refused(api.getChatMember(-50, 8))).toMatchObject({ code: 400 })
  })
})

describe('menu, drafts and actions', () => {
  test('the nearest scope’s commands make the menu', async () => {
    const { playground, api } = await start()
    await api.setMyCommands([{ command: 'run', description: 'Run a command' }])
    await api.setMyCommands([{ command: 'approve', description: 'Approve' }], {
      scope: { type: 'chat', chat_id: chat },
    })
    expect(playground.commands()).toEqual([{ command: 'approve', description: 'Approve' }])
    await api.deleteMyCommands({ scope: { type: 'chat', chat_id: chat } })
    expect(playground.commands()).toEqual(await api.getMyCommands())
    expect(await refused(api.setMyCommands([{ command: 'No Good', description: 'x' }]))).toMatchObject({
      description: 'Bad Request: BOT_COMMAND_INVALID',
    })
  })

  test('drafts need an id and a private chat', async () => {
    const { playground, api } = await start()
    playground.createGroup({ id: -50, title: 'Ops', members: [visitor] })
    await api.raw.sendMessageDraft({ chat_id: chat, draft_id: 1, text: 'thinking' })
    expect(await refused(api.raw.sendMessageDraft({ chat_id: chat, draft_id: 0, text: 'x' }))).toMatchObject({
      code: 400,
    })
    expect(await refused(api.raw.sendMessageDraft({ chat_id: -50, draft_id: 1, text: 'x' }))).toMatchObject({
      code: 400,
    })
    await api.sendChatAction(chat, 'typing')
  })
})

describe('faults', () => {
  test('a call fails as asked, until it is taken back', async () => {
    const { playground, api } = await start()
    const stop = playground.fail((method) =>
      method === 'sendMessage'
        ? { error_code: 429, description: 'Too Many Requests: retry after 3', retry_after: 3 }
        : null,
    )
    expect(await refused(api.sendMessage(chat, 'x'))).toMatchObject({
      code: 429,
      parameters: { retry_after: 3 },
    })
    stop()
    await api.sendMessage(chat, 'x')
    expect(playground.calls().map(({ method, ok, error_code }) => [method, ok, error_code])).toEqual([
      ['sendMessage', false, 429],
      ['sendMessage', true, undefined],
    ])
  })

  test('an answer can get lost after the work was done', async () => {
    const { playground, api } = await start()
    playground.fail(() => ({ error_code: 0, description: '', dropAnswer: true }))
    await expect(api.sendMessage(chat, 'x')).rejects.toThrow("Network request for 'sendMessage' failed")
    expect(playground.chat()).toHaveLength(1)
  })
})
