import { setTimeout as delay } from 'node:timers/promises'
import { Failpoints } from '../failpoints.ts'
import type { Part, PartEnd } from '../part.ts'
import { steadyPort } from '../ports.ts'
import { type Random, randomFrom } from '../random.ts'
import { Stand } from '../stand.ts'
import { type Account, accountOf, leftToSettle } from './chatAccount.ts'
import { askings, PEOPLE, quickMachine } from './chatWork.ts'
import type { Row } from './row.ts'
import { Telegram } from './telegram.ts'
import { Updates } from './updates.ts'

const SECRET = 'a-secret-of-the-webhook'
const BOT_TOKEN = `123456789:${'A'.repeat(35)}`
/** Below what Telegram lets a bot send: 30 messages a second. */
const PER_SECOND = 20
const PERCENT_TWICE = 20
const PERCENT_FAULTS = 20
/** After the last update, less and less is left: what stays the same for so long is lost. */
const SETTLE_MS = 120_000

export type ChatRow = Row & { updates: number; kills: number; faults: number }

/**
 * Updates that come twice and in another order, to two bots of which the serving one is killed again and again, while
 * Telegram refuses or loses what they send. Everything asked has one effect, and one message says so.
 */
export const chatRow = (row: ChatRow): Promise<string[]> => new ChatFaults(row).run()

class ChatFaults {
  readonly #row: ChatRow
  readonly #random: Random
  readonly #points: Failpoints
  readonly #stand: Stand
  readonly #died: string[] = []
  #kills = 0

  constructor(row: ChatRow) {
    this.#row = row
    this.#random = randomFrom(row.seed)
    this.#points = new Failpoints(randomFrom(row.seed + 1))
    this.#stand = new Stand('postgres', this.#random, (end) => this.#ended(end))
  }

  async run(): Promise<string[]> {
    const { seed, updates: count, faults, tell } = this.#row
    const telegram = await new Telegram(randomFrom(seed + 2)).start()
    const stand = this.#stand
    await stand.start({ machines: false })
    const laptop = await quickMachine(stand.control)
    try {
      const ports = [await steadyPort(), await steadyPort()]
      const bots = ports.map((port, i) => this.#addBot(`bot-${i + 1}`, port, telegram))
      for (const bot of bots) bot.start()
      const asked = await askings(stand.control, this.#random, count)
      const updates = new Updates(ports, SECRET, randomFrom(seed + 3))
      Object.assign(telegram, { percent: PERCENT_FAULTS, most: faults })
      const sending = updates.send(
        asked.map(({ update }) => update),
        PER_SECOND,
        PERCENT_TWICE,
      )
      await Promise.all([sending, this.#kill(bots, updates, sending)])
      telegram.most = 0
      await Promise.all(bots.map((bot) => this.#disarm(bot)))
      tell(`all updates are sent, ${this.#kills} kills; what is left is settling`)
      await settled(() => leftToSettle(stand.db, telegram, asked))
      return this.#lines(await accountOf(stand.db, telegram, asked), telegram, updates)
    } finally {
      await laptop.close()
      await stand.stop(false)
      telegram.close()
    }
  }

  #addBot(name: string, port: number, telegram: Telegram): Part {
    return this.#stand.add(name, 'bot', {
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_API_ROOT: telegram.url,
      TELEGRAM_OWNER_IDS: PEOPLE.join(','),
      TELEGRAM_WEBHOOK_URL: `http://127.0.0.1:${port}/`,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      SKYNET_WEBHOOK_PORT: String(port),
    })
  }

  #ended({ part, how, what }: PartEnd): void {
    if (how === 'died') this.#died.push(`${part.name} (${what})`)
    if (how !== 'failpoint') return
    this.#points.hit('bot', what)
    this.#kills++
    this.#row.tell(`failpoint ${what}: ${part.name}`)
  }

  /** Kills the bot that serves, spread over all that is sent; half of those that take over die at a failpoint. */
  async #kill(bots: readonly Part[], updates: Updates, sending: Promise<void>): Promise<void> {
    let isOver = false
    void sending.finally(() => {
      isOver = true
    })
    const { kills } = this.#row
    const all = this.#row.updates * (1 + PERCENT_TWICE / 100)
    while (!isOver && this.#kills < kills) {
      await delay(this.#random.between(100, 500))
      const bot = bots[updates.serving]
      if (!bot?.pid || updates.sent < ((this.#kills + 0.5) / (kills + 1)) * all) continue
      const other = bots.find((one) => one !== bot)
      if (this.#random.chance(0.5) && other) {
        other.arm(this.#points.next('bot'))
        await other.kill()
      }
      await bot.kill()
      this.#kills++
      this.#row.tell(`kill -9: ${bot.name}`)
      updates.serving = bots.indexOf(other ?? bot)
    }
  }

  async #disarm(bot: Part): Promise<void> {
    if (bot.armed.length === 0) return
    bot.armed = []
    await bot.kill()
  }

  #lines({ lost, twice, repeats, unsent }: Account, telegram: Telegram, updates: Updates): string[] {
    const died = this.#died
    const isBroken = lost.length + twice.length + died.length + unsent > 0
    // A bot that is killed may have sent to several chats what it could not write down.
    const unclear = this.#kills * PEOPLE.length + (telegram.faults.get('lost') ?? 0)
    if (isBroken || repeats > unclear) process.exitCode = 1
    const faults = [...telegram.faults].map(([name, times]) => `${name} ${times}`).join(', ')
    return [
      `updates ${this.#row.updates}, of them sent twice ${updates.twice}, kills ${this.#kills} (failpoints hit: ${this.#points.hits.size}), faults of Telegram ${telegram.injected}${faults && ` (${faults})`}`,
      `lost ${lost.length}, twice ${twice.length}, messages not sent ${unsent}; sends repeated since their answer was lost ${repeats} of ${telegram.messages.size}`,
      ...lost.slice(0, 20).map((line) => `LOST: ${line}`),
      ...twice.slice(0, 20).map((line) => `TWICE: ${line}`),
      ...died.map((line) => `ended by itself: ${line}`),
    ]
  }
}

/** Resolves when nothing is left, or when what is left has not become less for a while: a busy machine takes longer. */
async function settled(left: () => Promise<number>): Promise<void> {
  let least = Number.POSITIVE_INFINITY
  for (let deadline = performance.now() + SETTLE_MS; performance.now() < deadline; await delay(500)) {
    const now = await left()
    if (now === 0) return
    if (now >= least) continue
    least = now
    deadline = performance.now() + SETTLE_MS
  }
}
