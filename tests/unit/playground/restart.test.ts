import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InlineKeyboard, InputFile } from 'grammy'
import { expect, onTestFinished, test } from 'vitest'
import { start, visitor } from './setup.ts'

const chat = visitor.id

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'state.jsonl')
}

test('messages, updates, menu and files outlive a restart, and ids go on', async () => {
  const file = stateFile()
  const before = await start({ stateFile: file })
  const { message_id } = await before.api.sendMessage(chat, 'card', {
    reply_markup: new InlineKeyboard().text('Go', 'go'),
  })
  const log = await before.api.sendDocument(chat, new InputFile(Buffer.from('log'), 'a.log'))
  await before.api.setMyCommands([{ command: 'run', description: 'Run' }])
  before.playground.say('unread')
  const query = before.playground.tap(chat, message_id, 'Go')
  await before.playground.close()
  appendFileSync(file, '{"kind":"message","mess')

  const after = await start({ stateFile: file })
  const updates = await after.api.getUpdates()
  expect(updates.map((update) => update.message?.text ?? update.callback_query?.data)).toEqual([
    'unread',
    'go',
  ])
  await after.api.answerCallbackQuery(query)
  await after.api.editMessageText(chat, message_id, 'edited')
  expect(after.playground.chat().map((message) => message.text)).toEqual(['edited', undefined, 'unread'])
  expect(await after.api.getFile(log.document.file_id)).toMatchObject({ file_size: 3 })
  expect(after.playground.commands()).toHaveLength(1)
  expect(after.playground.say('next')).toBe(4)
  expect((await after.api.getUpdates({ offset: -1 }))[0]?.update_id).toBe(
    (updates.at(-1)?.update_id ?? 0) + 1,
  )
})

test('confirmed updates stay confirmed and ids stay unique', async () => {
  const file = stateFile()
  const before = await start({ stateFile: file })
  before.playground.say('one')
  const [update] = await before.api.getUpdates()
  const offset = (update?.update_id ?? 0) + 1
  await before.api.getUpdates({ offset })
  await before.playground.close()
  for (let restart = 0; restart < 2; restart += 1) await (await start({ stateFile: file })).playground.close()
  const after = await start({ stateFile: file })
  expect(await after.api.getUpdates()).toEqual([])
  after.playground.say('two')
  expect((await after.api.getUpdates())[0]?.update_id).toBe(offset)
})

test('a fresh state is greeted once, and its file is private', async () => {
  const file = stateFile()
  const first = await start({ stateFile: file, greet: true })
  expect(first.playground.chat().map((message) => message.text)).toEqual(['/start'])
  await first.playground.close()
  const second = await start({ stateFile: file, greet: true })
  expect(second.playground.chat()).toHaveLength(1)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
