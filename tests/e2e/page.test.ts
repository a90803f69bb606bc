import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bot, InputFile } from 'grammy'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { drawUsage } from '../../bot/render/usageChart.ts'
import { type PanelRow, type Playground, startPlayground } from '../../playground/server.ts'

const browserPath = '/usr/bin/chromium'
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const hasBrowser = existsSync(browserPath)
if (!hasBrowser) console.warn(`page.test.ts is skipped: no ${browserPath} (Debian: apt install chromium)`)

const visitor = { id: 4242, first_name: 'Ana' }
const token = '1000000001:local'
const row: PanelRow = {
  id: 'e1',
  stage: 'request',
  title: 'Run the tests',
  detail: '#12',
  state: 'done',
  at: null,
}

/** A text in the list of messages, not in the region for screen readers. */
const inChat = (page: Page, text: string) => page.locator('#messages').getByText(text)

/** A bot that shows one feature for each word. */
function echoBot(apiRoot: string): Bot {
  const bot = new Bot(token, { client: { apiRoot } })
  bot.command('start', (ctx) => ctx.reply('<b>Welcome</b>', { parse_mode: 'HTML' }))
  bot.hears('buttons', (ctx) =>
    ctx.reply('Choose', {
      reply_markup: {
        inline_keyboard: [
          [
            { text: 'Toast', callback_data: 'toast', style: 'success' },
            { text: 'Alert', callback_data: 'alert', style: 'danger' },
            { text: 'Never', callback_data: 'never' },
          ],
        ],
      },
    }),
  )
  bot.callbackQuery('toast', (ctx) => ctx.answerCallbackQuery('That was a toast'))
  bot.callbackQuery('alert', (ctx) => ctx.answerCallbackQuery({ text: 'Be careful', show_alert: true }))
  bot.callbackQuery('never', () => undefined)
  bot.hears('file', (ctx) =>
    ctx.replyWithDocument(new InputFile(Buffer.from('first line\nlast line\n'), 'run-1.log')),
  )
  bot.hears('photo', (ctx) =>
    ctx.replyWithPhoto(new InputFile(drawUsage({ days: [] }), 'usage.png'), { caption: 'Language models' }),
  )
  bot.hears('ask', (ctx) =>
    ctx.reply('Why?', { reply_markup: { force_reply: true, input_field_placeholder: 'The reason' } }),
  )
  bot.hears('fail', (ctx) =>
    ctx.reply('❌ #1 failed', {
      reply_markup: { inline_keyboard: [[{ text: 'Plan a fix', callback_data: 'toast' }]] },
    }),
  )
  bot.on('message:text', (ctx) =>
    ctx.reply(`echo ${ctx.msg.text}${ctx.msg.reply_to_message ? ' (reply)' : ''}`),
  )
  return bot
}

describe.skipIf(!hasBrowser)('the chat page', { timeout: 30_000 }, () => {
  let browser: Browser
  let playground: Playground
  let bot: Bot
  let rows: PanelRow[]
  let changed: () => void
  const pages: Page[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: browserPath, args: flags.split(' ') })
  }, 60_000)

  afterAll(() => browser?.close())

  beforeEach(async () => {
    rows = [row]
    playground = await startPlayground({
      port: 0,
      token,
      stateFile: null,
      visitor,
      botName: 'SKYNET',
      secret: 'first-key',
      greet: true,
      limits: { burst: 100 },
      panel: {
        rows: async () => rows,
        detail: async (id) => ({ id, rule: 'fs.delete-tree' }),
        subscribe: (onChange) => {
          changed = onChange
          return () => {}
        },
      },
    })
    bot = echoBot(playground.url)
    await bot.api.setMyCommands([
      { command: 'run', description: 'Run a command' },
      { command: 'status', description: 'What goes on' },
    ])
    void bot.start()
  })

  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()))
    await bot.stop()
    await playground.close()
  })

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const page = await context.newPage()
    pages.push(page)
    await page.goto(playground.pageUrl)
    await page.getByText('Welcome').waitFor()
    return page
  }

  async function send(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message', { exact: true }).fill(text)
    await page.keyboard.press('Enter')
  }

  test('opens in the middle of a conversation and carries texts both ways', async () => {
    const page = await open()
    await page.getByText('online').waitFor()
    expect(new URL(page.url()).search).toBe('')
    await send(page, 'hi <b>there</b>')
    await inChat(page, 'echo hi <b>there</b>').waitFor()
    await page.getByRole('button', { name: 'Machines' }).click()
    await inChat(page, 'echo Machines').waitFor()
  })

  test('shows edits in place and deletions', async () => {
    const page = await open()
    const { message_id } = await bot.api.sendMessage(visitor.id, 'step 1')
    await inChat(page, 'step 1').waitFor()
    await bot.api.editMessageText(visitor.id, message_id, 'step 2')
    await page.locator(`#m${message_id}`).getByText('step 2').waitFor()
    expect(await page.locator(`#m${message_id} .edited`).count()).toBe(1)
    await bot.api.deleteMessage(visitor.id, message_id)
    await page.locator(`#m${message_id}`).waitFor({ state: 'detached' })
  })

  test('finds back to everything after the server was restarted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'page-'))
    const options = {
      token,
      stateFile: join(folder, 'state.jsonl'),
      visitor,
      botName: 'SKYNET',
      secret: 'second-key',
    }
    const before = await startPlayground({ ...options, port: 0 })
    const page = await (await browser.newContext()).newPage()
    pages.push(page)
    before.say('before')
    await page.goto(before.pageUrl)
    await inChat(page, 'before').waitFor()
    await before.close()
    await page.getByText('not reachable').waitFor()
    const after = await startPlayground({ ...options, port: Number(new URL(before.url).port) })
    after.say('after')
    await inChat(page, 'after').waitFor()
    expect(await page.locator('.message').count()).toBe(2)
    await after.close()
    rmSync(folder, { recursive: true })
  })

  test('a tapped button spins until it is answered, by toast or by alert', async () => {
    const page = await open()
    await send(page, 'buttons')
    await page.getByRole('button', { name: 'Toast' }).click()
    await page.getByText('That was a toast').waitFor()
    await page.getByRole('button', { name: 'Never' }).click()
    await page.locator('.key[aria-busy=true]', { hasText: 'Never' }).waitFor()
    await page.getByRole('button', { name: 'Alert' }).click()
    await page.getByRole('dialog').getByText('Be careful').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await page.locator('.key.success').textContent()).toBe('Toast')
  })

  test('a spinner and an open quote survive a live edit', async () => {
    const page = await open()
    const keyboard = { inline_keyboard: [[{ text: 'Cancel', callback_data: 'never' }]] }
    const quote = (last: string) => `card\n<blockquote expandable>${'line\n'.repeat(9)}${last}</blockquote>`
    const { message_id } = await bot.api.sendMessage(visitor.id, quote('one'), {
      parse_mode: 'HTML',
      reply_markup: keyboard,
    })
    await page.getByLabel('Expand or collapse').click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.locator('.key[aria-busy=true]').waitFor()
    await bot.api.editMessageText(visitor.id, message_id, quote('two'), {
      parse_mode: 'HTML',
      reply_markup: keyboard,
    })
    await inChat(page, 'two').waitFor()
    expect(await page.locator('.expandable.open').count()).toBe(1)
    expect(await page.locator('.key[aria-busy=true]').count()).toBe(1)
  })

  test('documents open in the page and can be saved', async () => {
    const page = await open()
    await send(page, 'file')
    await page.getByRole('button', { name: 'Open run-1.log' }).click()
    await page.getByRole('dialog').getByText('last line').waitFor()
    await page.keyboard.press('Escape')
    const saved = page.waitForEvent('download')
    await page.getByLabel('Download run-1.log').click()
    expect((await saved).suggestedFilename()).toBe('run-1.log')
  })

  test('photos are seen in the chat, with their caption', async () => {
    const page = await open()
    await send(page, 'photo')
    await inChat(page, 'Language models').waitFor()
    const photo = page.locator('#messages img.photo')
    await expect.poll(() => photo.evaluate((img) => Reflect.get(img, 'naturalWidth'))).toBe(720)
    expect(await photo.getAttribute('alt')).toBe('Language models')
  })

  test('commands complete from the menu', async () => {
    const page = await open()
    await page.getByLabel('Message', { exact: true }).pressSequentially('/st')
    await page.getByRole('option', { name: '/status' }).waitFor()
    expect(await page.getByRole('option').count()).toBe(1)
    await page.keyboard.press('Tab')
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('/status ')
    await page.keyboard.press('Enter')
    await inChat(page, 'echo /status').waitFor()
  })

  test('a forced reply is written as one', async () => {
    const page = await open()
    await send(page, 'ask')
    await page.getByPlaceholder('The reason').waitFor()
    await page.getByText('Reply to SKYNET').waitFor()
    await send(page, 'because')
    await inChat(page, 'echo because (reply)').waitFor()
  })

  test('after a failure the fitting chip presses the failure’s own button', async () => {
    const page = await open()
    await send(page, 'fail')
    await page.locator('.chip.fitting').click()
    await page.getByText('That was a toast').waitFor()
  })

  test('typing, drafts and their end are shown', async () => {
    const page = await open()
    await bot.api.sendChatAction(visitor.id, 'typing')
    await page.locator('#status.typing').waitFor()
    await bot.api.raw.sendMessageDraft({ chat_id: visitor.id, draft_id: 1, text: 'Thinking of it' })
    await page.locator('#draft').getByText('Thinking of it').waitFor()
    await bot.api.sendMessage(visitor.id, 'Done')
    await page.locator('#draft').waitFor({ state: 'hidden' })
  })

  test('new messages are counted while the reader is further up', async () => {
    const page = await open()
    await bot.api.sendMessage(visitor.id, 'long\n'.repeat(80))
    await page.locator('#scroll').evaluate((element) => element.scrollTo(0, 0))
    await page.locator('#to-bottom').waitFor()
    await bot.api.sendMessage(visitor.id, 'unread')
    await page.locator('#unread', { hasText: '1' }).waitFor()
    await page.locator('#to-bottom').click()
    await page.locator('#to-bottom').waitFor({ state: 'hidden' })
  })

  test('the panel follows the ledger and opens events', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Run the tests #12' }).click()
    await page.getByRole('dialog').getByText('fs.delete-tree').waitFor()
    await page.keyboard.press('Escape')
    rows = [row, { ...row, id: 'e2', stage: 'exit', title: 'exit 0' }]
    changed()
    await page.getByText('exit 0').waitFor()
  })

  test('fits a small phone, without the panel', async () => {
    const page = await open({ viewport: { width: 360, height: 640 } })
    await send(page, 'buttons')
    await bot.api.sendMessage(visitor.id, `<pre>${'x'.repeat(200)}</pre>`, { parse_mode: 'HTML' })
    await page.locator('.pre').waitFor()
    expect(await page.locator('#panel').isVisible()).toBe(false)
    expect(await page.locator('html').evaluate((root) => root.scrollWidth)).toBe(360)
    const box = await page.getByRole('button', { name: 'Toast' }).boundingBox()
    expect(box?.height).toBeGreaterThanOrEqual(40)
  })

  test('offers the way to a phone after the first success', async () => {
    const page = await open()
    expect(await page.getByText('On your phone').count()).toBe(0)
    await bot.api.sendMessage(visitor.id, '✅ #1 succeeded')
    await page.getByRole('heading', { name: 'On your phone' }).waitFor()
    await page.getByLabel('Dismiss').click()
    await page.reload()
    await inChat(page, '✅ #1 succeeded').waitFor()
    expect(await page.getByText('On your phone').count()).toBe(0)
  })

  test('the card that points to an outcome is not the first success; what comes at once stays in view', async () => {
    const page = await open()
    await bot.api.sendMessage(visitor.id, 'long\n'.repeat(80))
    await bot.api.sendMessage(visitor.id, '✅ #1 succeeded · outcome below')
    await inChat(page, 'outcome below').waitFor()
    expect(await page.getByText('On your phone').count()).toBe(0)
    await bot.api.sendMessage(visitor.id, '✅ #1 succeeded · 0:01')
    await page.getByRole('heading', { name: 'On your phone' }).waitFor()
    expect(await page.locator('.chip.fitting').textContent()).toBe('What changed?')
    await expect.poll(() => page.locator('#to-bottom').isVisible()).toBe(false)
    await page.locator('#phone-hint').waitFor()
    const hint = await page.locator('#phone-hint').boundingBox()
    const composer = await page.locator('#composer').boundingBox()
    expect((hint?.y ?? 0) + (hint?.height ?? 0)).toBeLessThanOrEqual(composer?.y ?? 0)
  })

  test('a diff shows what is added and removed', async () => {
    const page = await open()
    const diff = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old &lt; 1\n+new &lt; 2\n same'
    await bot.api.sendMessage(visitor.id, `<pre><code class="language-diff">${diff}</code></pre>`, {
      parse_mode: 'HTML',
    })
    await page.locator('.pre .removed', { hasText: '-old < 1' }).waitFor()
    expect(await page.locator('.pre .added').allTextContents()).toEqual(['+new < 2\n'])
    expect(await page.locator('.pre code').textContent()).toContain('+new < 2\n same')
  })

  test('a browser without the cookie sees how to get in, another site gets nothing', async () => {
    const page = await open()
    const stranger = await (await browser.newContext()).newPage()
    pages.push(stranger)
    await stranger.goto(playground.url)
    await stranger.getByText('the terminal printed').waitFor()
    const headers = { origin: 'https://evil.example' }
    expect((await page.request.get(`${playground.url}/`, { headers })).status()).toBe(403)
    expect(
      (await page.request.get(`${playground.url}/`, { headers: { host: 'evil.example' } })).status(),
    ).toBe(403)
    const call = `${playground.url.replace('127.0.0.1', 'localhost')}/bot${token}/getMyName`
    await stranger.evaluate((url) => fetch(url, { mode: 'no-cors' }).catch(() => null), call)
    expect(playground.calls().some(({ method }) => method === 'getMyName')).toBe(false)
  })
})
