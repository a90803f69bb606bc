import { InlineKeyboard, InputFile } from 'grammy'
import { describe, expect, test } from 'vitest'
import { Picture } from '../../../bot/render/png.ts'
import { post, refused, start, token, visitor } from './setup.ts'

const chat = visitor.id
const bad = (description: string) =>
  expect.objectContaining({ code: 400, description: `Bad Request: ${description}` })

describe('sending', () => {
  test('keeps text, entities, keyboard and silence, and answers with a Message', async () => {
    const { playground, api } = await start()
    const reply_markup = new InlineKeyboard([[{ text: 'Approve', callback_data: 'a', style: 'success' }]])
    const sent = await api.sendMessage(chat, '<b>hi</b> there', {
      parse_mode: 'HTML',
      disable_notification: true,
      reply_markup,
    })
    expect(sent).toMatchObject({
      chat: { id: chat, type: 'private' },
      text: 'hi there',
      from: { is_bot: true },
    })
    expect(playground.chat()).toMatchObject([
      {
        text: 'hi there',
        silent: true,
        edits: 0,
        deleted: false,
        entities: [{ type: 'bold', offset: 0, length: 2 }],
      },
    ])
    expect(sent.reply_markup?.inline_keyboard[0]?.[0]).toEqual({
      text: 'Approve',
      callback_data: 'a',
      style: 'success',
    })
  })

  test('refuses empty, blank and too long text', async () => {
    const { api } = await start()
    expect(await refused(api.sendMessage(chat, ''))).toEqual(bad('message text is empty'))
    expect(await refused(api.sendMessage(chat, ' \n '))).toEqual(bad('message text is empty'))
    expect(await refused(api.sendMessage(chat, 'x'.repeat(4097)))).toEqual(bad('message is too long'))
    await api.sendMessage(chat, `<b>${'x'.repeat(4096)}</b>`, { parse_mode: 'HTML' })
  })

  test('refuses unknown chats, topics and parse modes', async () => {
    const { api } = await start()
    expect(await refused(api.sendMessage(999, 'x'))).toEqual(bad('chat not found'))
    expect(await refused(api.sendMessage(chat, 'x', { message_thread_id: 7 }))).toEqual(
      bad('message thread not found'),
    )
    expect(await refused(api.sendMessage(chat, 'x', { parse_mode: 'MarkdownV2' }))).toEqual(
      bad('unsupported parse_mode'),
    )
  })

  test('replies to what is there, and refuses the rest unless allowed', async () => {
    const { playground, api } = await start()
    const id = playground.say('question')
    const sent = await api.sendMessage(chat, 'answer', { reply_parameters: { message_id: id } })
    expect(sent.reply_to_message?.text).toBe('question')
    const missing = { message_id: 99 }
    expect(await refused(api.sendMessage(chat, 'x', { reply_parameters: missing }))).toEqual(
      bad('message to be replied not found'),
    )
    await api.sendMessage(chat, 'x', { reply_parameters: { ...missing, allow_sending_without_reply: true } })
  })

  test('counts callback data in bytes', async () => {
    const { api } = await start()
    const send = (data: string) =>
      api.sendMessage(chat, 'x', {
        reply_markup: { inline_keyboard: [[{ text: 'b', callback_data: data }]] },
      })
    await send('x'.repeat(64))
    expect(await refused(send('é'.repeat(33)))).toEqual(bad('BUTTON_DATA_INVALID'))
    expect(await refused(send(''))).toEqual(bad('BUTTON_DATA_INVALID'))
  })
})

describe('editing and deleting', () => {
  test('edits in place, counts edits and drops the keyboard when none is given', async () => {
    const { playground, api } = await start()
    const reply_markup = new InlineKeyboard().text('Cancel', 'c')
    const { message_id } = await api.sendMessage(chat, 'one', { reply_markup })
    const edited = await api.editMessageText(chat, message_id, 'two')
    expect(edited).toMatchObject({ message_id, text: 'two', edit_date: expect.any(Number) })
    expect(playground.chat()[0]).toMatchObject({ text: 'two', edits: 1 })
    expect(playground.chat()[0]?.reply_markup).toBeUndefined()
  })

  test('refuses an edit that changes nothing', async () => {
    const { api } = await start()
    const { message_id } = await api.sendMessage(chat, 'same')
    expect(
      (await refused(api.editMessageText(chat, message_id, '<i></i>same', { parse_mode: 'HTML' })))
        .description,
    ).toMatch(/^Bad Request: message is not modified: specified new message content/)
  })

  test('refuses edits of missing, foreign and deleted messages', async () => {
    const { playground, api } = await start()
    const theirs = playground.say('mine')
    const { message_id } = await api.sendMessage(chat, 'x')
    await api.deleteMessage(chat, message_id)
    expect(await refused(api.editMessageText(chat, 777, 'x'))).toEqual(bad('message to edit not found'))
    expect(await refused(api.editMessageText(chat, message_id, 'y'))).toEqual(
      bad('message to edit not found'),
    )
    expect(await refused(api.editMessageText(chat, theirs, 'x'))).toEqual(bad("message can't be edited"))
    expect(await refused(api.deleteMessage(chat, message_id))).toEqual(bad('message to delete not found'))
    expect(playground.chat().at(-1)).toMatchObject({ deleted: true })
  })

  test('edits only the keyboard', async () => {
    const { playground, api } = await start()
    const { message_id } = await api.sendMessage(chat, 'x', {
      reply_markup: new InlineKeyboard().text('A', 'a'),
    })
    await api.editMessageReplyMarkup(chat, message_id, { reply_markup: new InlineKeyboard().text('B', 'b') })
    expect(playground.chat()[0]?.reply_markup).toEqual({
      inline_keyboard: [[{ text: 'B', callback_data: 'b' }]],
    })
  })
})

describe('documents', () => {
  test('takes an upload, offers it for download and sends it again by its id', async () => {
    const { playground, api } = await start()
    const file = new InputFile(Buffer.from('line 1\nline 2\n'), 'run-12.log')
    const sent = await api.sendDocument(chat, file, { caption: '<code>all</code> of it', parse_mode: 'HTML' })
    expect(sent.document).toMatchObject({ file_name: 'run-12.log', file_size: 14 })
    expect(sent.caption_entities).toEqual([{ type: 'code', offset: 0, length: 3 }])
    const { file_path } = await api.getFile(sent.document.file_id)
    const download = await fetch(`${playground.url}/file/bot${token}/${file_path}`)
    expect(await download.text()).toBe('line 1\nline 2\n')
    await api.sendDocument(chat, sent.document.file_id)
    expect(playground.chat()).toHaveLength(2)
  })

  test('refuses empty files, unknown ids, long captions and editing text that is not there', async () => {
    const { api } = await start()
    const file = () => new InputFile(Buffer.from('x'), 'x.log')
    expect(await refused(api.sendDocument(chat, new InputFile(Buffer.alloc(0), 'e')))).toEqual(
      bad('file must be non-empty'),
    )
    expect((await refused(api.sendDocument(chat, 'nope'))).description).toMatch(/wrong file identifier/)
    expect(await refused(api.sendDocument(chat, file(), { caption: 'x'.repeat(1025) }))).toEqual(
      bad('message caption is too long'),
    )
    const { message_id } = await api.sendDocument(chat, file())
    expect(await refused(api.editMessageText(chat, message_id, 'x'))).toEqual(
      bad('there is no text in the message to edit'),
    )
  })
})

describe('photos', () => {
  const png = new Picture(30, 20, ['#ffffff']).encode()

  test('takes a PNG with its caption, and offers it for download', async () => {
    const { playground, api } = await start()
    const sent = await api.sendPhoto(chat, new InputFile(png, 'a.png'), {
      caption: '<b>so</b>',
      parse_mode: 'HTML',
    })
    expect(sent).toMatchObject({
      photo: [{ width: 30, height: 20, file_size: png.length }],
      caption: 'so',
      caption_entities: [{ type: 'bold', offset: 0, length: 2 }],
    })
    const { file_path } = await api.getFile(sent.photo[0]?.file_id ?? '')
    const download = await fetch(`${playground.url}/file/bot${token}/${file_path}`)
    expect(Buffer.from(await download.arrayBuffer())).toEqual(png)
    expect(
      (await api.editMessageCaption(chat, sent.message_id, { caption: 'then' })) as object,
    ).toMatchObject({
      caption: 'then',
      photo: [{ width: 30 }],
    })
  })

  test('refuses what is no image', async () => {
    const { api } = await start()
    expect(await refused(api.sendPhoto(chat, new InputFile(Buffer.from('text'), 'a.png')))).toEqual(
      bad('IMAGE_PROCESS_FAILED'),
    )
    expect(await refused(api.sendPhoto(chat, ''))).toEqual(bad('there is no photo in the request'))
  })
})

describe('the wire', () => {
  test('takes JSON, forms and multipart alike', async () => {
    const { playground } = await start()
    const form = new FormData()
    form.set('chat_id', String(chat))
    form.set('text', 'multipart')
    await post(playground, 'sendMessage', { body: form })
    await post(playground, 'sendMessage', {
      body: new URLSearchParams({ chat_id: String(chat), text: 'form' }),
    })
    await post(playground, `sendMessage?chat_id=${chat}&text=query`)
    const headers = { 'content-type': 'application/json' }
    await post(playground, 'SENDMESSAGE', {
      body: JSON.stringify({ chat_id: String(chat), text: 'json' }),
      headers,
    })
    expect(playground.chat().map((message) => message.text)).toEqual(['multipart', 'form', 'query', 'json'])
  })

  test('answers unknown methods, wrong tokens and too much with Telegram’s shapes', async () => {
    const { playground } = await start()
    const answer = async (response: Promise<Response>) => (await response).json()
    expect(await answer(post(playground, 'sendDice'))).toEqual({
      ok: false,
      error_code: 404,
      description: 'Not Found: method not found',
    })
    expect(await answer(post(playground, 'getMe', {}, '1:wrong'))).toEqual({
      ok: false,
      error_code: 401,
      description: 'Unauthorized',
    })
    const body = JSON.stringify({ text: 'x'.repeat(2_000_000) })
    const headers = { 'content-type': 'application/json' }
    expect(await answer(post(playground, 'sendMessage', { body, headers }))).toMatchObject({
      error_code: 413,
    })
    expect(await answer(post(playground, 'sendMessage', { body: '{', headers }))).toMatchObject({
      error_code: 400,
    })
  })
})
