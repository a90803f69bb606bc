import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/freePort.ts'

/*
 * A visitor's first minute: everything as `npm start` brings it up on an empty directory, and a browser that opens
 * the link it prints. The tests follow each other in one chat, as a visitor would.
 */

const browserPath = '/usr/bin/chromium'
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const hasBrowser = existsSync(browserPath)
if (!hasBrowser)
  console.warn(`firstMinute.test.ts is skipped: no ${browserPath} (Debian: apt install chromium)`)

/** Where screenshots go, when FIRST_MINUTE_SHOTS asks for them. */
const shots = process.env.FIRST_MINUTE_SHOTS ? mkdtempSync(join(tmpdir(), 'first-minute-')) : null
if (shots) console.warn(`screenshots: ${shots}`)

const START_MS = 40_000
const STOP_MS = 20_000
/** What a person gets from opening the page to green, and how many taps. */
const FIRST_MINUTE_MS = 60_000
const FOUR_TAPS = 4

type Started = { link: string; dir: string; stop(): Promise<void> }

async function startSkynet(): Promise<Started> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-first-')))
  mkdirSync(join(dir, 'work'))
  const [http, gateway, chat] = await Promise.all([freePort(), freePort(), freePort()])
  const child = spawn(process.execPath, ['cli/main.ts', 'start'], {
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      SKYNET_DATA_DIR: join(dir, 'data'),
      SKYNET_AGENT_ROOTS: join(dir, 'work'),
      SKYNET_AGENT_NAME: 'laptop',
      SKYNET_HTTP_PORT: String(http),
      SKYNET_GATEWAY_PORT: String(gateway),
      SKYNET_PLAYGROUND_PORT: String(chat),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = async () => {
    await end(child)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    return { link: await printedLink(child), dir, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function printedLink(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const fail = (why: string) => reject(new Error(`${why}\n${printed}`))
    const timer = setTimeout(() => fail(`no link within ${START_MS} ms`), START_MS)
    child.once('exit', (code) => fail(`the start ended with ${code}`))
    const read = (chunk: Buffer) => {
      printed += chunk
      const link = /http:\/\/\S+\/open\?key=[\w-]+(?=\s)/.exec(printed)?.[0]
      if (!link) return
      clearTimeout(timer)
      resolve(link)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGINT')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(late)
}

describe.skipIf(!hasBrowser)('the first minute', { timeout: 90_000 }, () => {
  let skynet: Started
  let browser: Browser
  let page: Page
  /** Every address any page asked for. */
  const asked: string[] = []

  beforeAll(async () => {
    const launched = chromium.launch({ executablePath: browserPath, args: flags.split(' ') })
    skynet = await startSkynet()
    browser = await launched
    page = await newPage({ viewport: { width: 1280, height: 800 } })
  }, START_MS + 20_000)

  afterAll(async () => {
    await browser?.close()
    await skynet?.stop()
  }, STOP_MS + 10_000)

  async function newPage(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext(options)
    context.on('request', (request) => asked.push(request.url()))
    return context.newPage()
  }

  let shot = 0
  async function show(name: string, of = page): Promise<void> {
    shot += 1
    if (shots) await of.screenshot({ path: join(shots, `${String(shot).padStart(2, '0')}-${name}.png`) })
  }

  const message = (text: RegExp, on = page): Locator =>
    on.locator('.message.in').filter({ hasText: text }).last()
  const chip = (text: string, on = page): Locator =>
    on.getByLabel('Suggestions').getByRole('button', { name: text, exact: true })
  const key = (on: Locator, name: string): Locator => on.getByRole('button', { name, exact: true })
  const stages = () => page.locator('#rows .stage').allTextContents()
  const demo = (file: string) => join(skynet.dir, 'work/demo', file)

  test('leads from the printed link to green in four taps, offline', async () => {
    const started = Date.now()
    let taps = 0
    const tap = async (what: Locator): Promise<void> => {
      taps += 1
      await what.click()
    }
    await page.goto(skynet.link)
    const greeting = message(/Hello/)
    await greeting.waitFor()
    expect(await greeting.textContent()).toContain('Connected: laptop')
    expect(await greeting.textContent()).toContain('laptop:~/work/demo')
    await show('greeting')

    await tap(chip('Run the tests'))
    const first = message(/❓ [A-Z]\d+ MEDIUM: run tests with npm\s*on laptop:~\/work\/demo/)
    await key(first, 'Approve').waitFor()
    await expect.poll(stages).toEqual(['request', 'plan', 'verdict', 'approval'])
    await show('asked')
    await tap(key(first, 'Approve'))
    const failed = message(/❌ #1 failed at step 2/)
    await failed.waitFor()
    expect(await failed.textContent()).toContain('1 of 6 fail, exit 1')
    expect(await failed.textContent()).toMatch(/basket\.test\.js:\d+ ten pieces have 10 % off/)
    expect(await failed.textContent()).toContain('1000 !== 900')
    await expect.poll(stages).toEqual(expect.arrayContaining(['claim', 'process', 'exit']))
    await show('failed')

    await tap(chip('Plan a fix'))
    const second = message(/❓ [A-Z]\d+ MEDIUM:[\s\S]*patch src\/basket\.js/)
    await key(second, 'Approve').waitFor()
    expect(await second.locator('.pre .added').textContent()).toContain('quantity >= BULK.from')
    expect(readFileSync(demo('src/basket.js'), 'utf8')).toContain('quantity > BULK.from')
    await show('fix')
    await tap(key(second, 'Approve'))
    const green = message(/✅ #2 succeeded · \d:\d\d/)
    await green.waitFor()
    expect(Date.now() - started).toBeLessThan(FIRST_MINUTE_MS)
    expect(taps).toBeLessThanOrEqual(FOUR_TAPS)
    expect(await green.textContent()).toContain('6 passed')
    expect(await green.textContent()).toContain('no model used')
    expect(readFileSync(demo('src/basket.js'), 'utf8')).toContain('quantity >= BULK.from')
    await page.getByRole('heading', { name: 'On your phone' }).waitFor()
    await show('green')
  })

  test('each row of the side panel opens its event', async () => {
    const rows = page.locator('#rows button')
    // request, plan, verdict, approval; claim, process and exit of four tasks
    await expect.poll(() => rows.count()).toBe(4 + 3 * 4)
    for (const row of await rows.all()) {
      await row.click()
      const detail = page.getByRole('dialog').locator('.document')
      await detail.waitFor()
      expect(
        JSON.parse((await detail.textContent()) ?? 'null'),
        (await row.textContent()) ?? '',
      ).toContainEqual(expect.objectContaining({ type: expect.any(String), data: expect.any(Object) }))
      await page.keyboard.press('Escape')
    }
  })

  test('a job is watched live and cancelled for real', async () => {
    await chip('Start the 30 s job').click()
    await key(message(/❓ [A-Z]\d+ MEDIUM: node scripts\/job\.mjs/), 'Approve').click()
    const running = message(/▶️ #3 running/)
    await running.getByText('of 30 s').waitFor()
    await page.locator('#rows .row.now').getByText('3.1 runs').waitFor()
    await show('running')
    await key(running, 'Cancel').click()
    await page.getByText(/cancelling #3/i).waitFor()
    await show('cancelling')
    const cancelled = message(/⏹ #3 cancelled/)
    await cancelled.waitFor()
    expect(await cancelled.textContent()).toContain('Everything has stopped.')
    await page.locator('#rows').getByText('3.1 cancelled').waitFor()
    await show('cancelled')
  })

  test('what must never run has no button, what may not be restored asks', async () => {
    await chip('/run rm -rf /').click()
    const refused = message(/⛔ #4 refused/)
    await refused.waitFor()
    expect(await refused.textContent()).toContain('No approval can lift this.')
    expect(await refused.locator('.key').count()).toBe(0)
    await show('refused')
    await chip('/run rm notes.txt').click()
    const question = message(/❓ [A-Z]\d+ MEDIUM: rm notes\.txt/)
    await key(question, 'Approve').waitFor()
    await show('rm')
    await key(question, 'Deny').click()
    await message(/denied by You/).waitFor()
    expect(existsSync(demo('notes.txt'))).toBe(true)
  })

  test('works on a phone, and by keyboard alone', async () => {
    const storageState = await page.context().storageState()
    const phone = await newPage({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      storageState,
    })
    await phone.goto(new URL(skynet.link).origin)
    await message(/denied by You/, phone).waitFor()
    expect(await phone.locator('#panel').isVisible()).toBe(false)
    await phone.getByLabel('Message', { exact: true }).focus()
    await tabTo(phone, chip('Run the tests', phone))
    await phone.keyboard.press('Enter')
    const question = message(/❓ [A-Z]\d+ MEDIUM: run tests with npm/, phone)
    await key(question, 'Approve').waitFor()
    await show('phone-asked', phone)
    await tabTo(phone, key(question, 'Approve'), 'Shift+Tab')
    await phone.keyboard.press('Enter')
    const green = message(/✅ #6 succeeded · \d:\d\d/, phone)
    await green.waitFor()
    expect(await green.textContent()).toContain('6 passed')
    expect(await phone.locator('html').evaluate((root) => root.scrollWidth)).toBe(390)
    await show('phone-green', phone)
  })

  test('nothing of it left this machine', () => {
    const hosts = new Set(asked.map((url) => new URL(url).hostname))
    expect([...hosts]).toEqual(['127.0.0.1'])
  })
})

/** Presses the key until the element has the focus, and fails when it never does. */
async function tabTo(page: Page, element: Locator, press = 'Tab'): Promise<void> {
  const focused = async () => (await element.and(page.locator(':focus')).count()) > 0
  for (let presses = 0; presses < 40; presses++) {
    if (await focused()) return
    await page.keyboard.press(press)
  }
  throw new Error(`${press} never reaches ${element}`)
}
