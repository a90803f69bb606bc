import { setTimeout as sleep } from 'node:timers/promises'
import { type Playground, startPlayground } from '../../playground/server.ts'
import { scaled } from '../compare.ts'
import { median } from '../figures.ts'
import { type LogShower, peer } from '../peers.ts'
import { type BenchSystem, pause, user } from '../system.ts'

const LINES = scaled(150)
const LINE_MS = 100
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
/** What a side gets, after the last line, to show the whole. */
const AFTER_MS = 5000
const TOKEN = '1000000002:bench'

const textOf = (n: number): string => `line ${n} of output`
const whole = Array.from({ length: LINES }, (_, n) => textOf(n + 1)).join('\n')

/** `used`: edits shown for each second in which Telegram would take one more; `behind`: lines missing at the end. */
type Shown = { edits: number; refused: number; used: number; behind: number }
type Side = { name: string; round(): Promise<Shown>; shown: Shown[] }

/** Counts the calls that change what the chat shows. */
function watch(playground: Playground): { end(seconds: number, text: string): Shown } {
  let [edits, refused] = [0, 0]
  const stop = playground.onCall(({ method, ok, error_code }) => {
    if (!/^(editMessageText|sendMessage|sendMessageDraft)$/.test(method)) return
    if (error_code === 429) refused++
    else if (ok && method !== 'sendMessage') edits++
  })
  return {
    end: (seconds, text) => {
      stop()
      const last = [...text.matchAll(/line (\d+) of output/g)].at(-1)?.[1] ?? 0
      return { edits, refused, used: edits / seconds, behind: LINES - Number(last) }
    },
  }
}

/** What the chat shows of the lines: of the newest message that has any. */
const textIn = (playground: Playground, after: number): string =>
  playground
    .chat()
    .filter((message) => message.message_id > after)
    .map((message) => message.text ?? '')
    .findLast((text) => /line \d+ of output/.test(text)) ?? ''

/** The whole system: a command prints the lines on a machine, and its card shows them. */
async function product(system: BenchSystem): Promise<Shown> {
  const { db } = system.control.deps
  const command = `for i in $(seq 1 ${LINES}); do echo "line $i of output"; sleep ${LINE_MS / 1000}; done`
  const asked = system.playground.say(`/run ${command}`)
  const run = await runOf(system, command)
  const watched = watch(system.playground)
  const began = performance.now()
  await ended(system, run)
  const seconds = (performance.now() - began) / 1000
  await pause(1500)
  const [row] = await db.query<{ text: string }>(
    "SELECT string_agg(l.text, '' ORDER BY l.seq) AS text FROM log_chunk l JOIN attempt a ON a.id = l.attempt_id JOIN task t ON t.id = a.task_id WHERE t.run_id = $1",
    [run],
  )
  if (row?.text.trim() !== whole) throw new Error('the log is not what was printed')
  return watched.end(seconds, textIn(system.playground, asked))
}

async function runOf(system: BenchSystem, command: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const [row] = await system.control.deps.db.query<{ id: string; status: string }>(
      'SELECT r.id, t.status FROM run r JOIN task t ON t.run_id = r.id WHERE r.request LIKE $1 ORDER BY r.number DESC LIMIT 1',
      [`%${command.slice(0, 40)}%`],
    )
    if (row?.status === 'running') return row.id
    if (row?.status === 'held') tapApprove(system.playground)
    await pause(25)
  }
  throw new Error('the command did not begin')
}

function tapApprove(playground: Playground): void {
  for (const message of [...playground.chat()].reverse()) {
    const markup = message.reply_markup as { inline_keyboard?: { text: string }[][] } | undefined
    if (!markup?.inline_keyboard?.flat().some(({ text }) => text === 'Approve')) continue
    playground.tap(user.id, message.message_id, 'Approve')
    return
  }
}

async function ended(system: BenchSystem, runId: string): Promise<void> {
  for (;;) {
    const [row] = await system.control.deps.db.query<{ status: string }>(
      'SELECT status FROM run WHERE id = $1',
      [runId],
    )
    if (row?.status === 'succeeded') return
    if (row?.status === 'failed') throw new Error('the command failed')
    await pause(25)
  }
}

/** A peer, with a Telegram of its own and the same lines at the same pace. */
async function peerRound(show: LogShower): Promise<Shown> {
  const playground = await startPlayground({
    port: 0,
    token: TOKEN,
    stateFile: null,
    visitor: user,
    botName: 'Peer',
    secret: 'bench-bench-bench',
  })
  const watched = watch(playground)
  const stop = new AbortController()
  const seconds = (LINES * LINE_MS) / 1000
  const showing = show(
    { apiRoot: playground.url, token: TOKEN, chatId: user.id, signal: stop.signal },
    printed(),
  ).catch((error: Error) => console.error(error.message))
  await Promise.race([showing, sleep(LINES * LINE_MS + AFTER_MS)])
  const shown = watched.end(seconds, textIn(playground, 0))
  stop.abort()
  await playground.close()
  return shown
}

async function* printed(): AsyncGenerator<string> {
  const began = performance.now()
  for (let n = 1; n <= LINES; n++) {
    await pause(Math.max(0, began + n * LINE_MS - performance.now()))
    yield n === 1 ? textOf(n) : `\n${textOf(n)}`
  }
}

/** Row 7: what a command prints, shown in a chat whose Telegram keeps its limits. All sides at once: each mostly waits. */
export async function liveLogsRow(system: BenchSystem): Promise<string[]> {
  const peerOf = (name: string) => peer<LogShower>('liveLogs', name)
  const [streamed, throttled, eachChunk] = [
    await peerOf('streamed'),
    await peerOf('throttled'),
    await peerOf('eachChunk'),
  ]
  const sides: Side[] = [
    { name: 'SKYNET', round: () => product(system), shown: [] },
    { name: '@grammyjs/stream + auto-retry (drafts)', round: () => peerRound(streamed), shown: [] },
    { name: 'transformer-throttler', round: () => peerRound(throttled), shown: [] },
    { name: 'edit per chunk', round: () => peerRound(eachChunk), shown: [] },
  ]
  for (let round = 0; round < ROUNDS; round++)
    await Promise.all(sides.map(async ({ round: once, shown }) => shown.push(await once())))
  const own = sides[0]?.shown ?? []
  const refused = own.reduce((sum, shown) => sum + shown.refused, 0)
  const behind = Math.max(...own.map((shown) => shown.behind))
  const used = median(own.map((shown) => shown.used))
  return [
    ...sides.map(({ name, shown }) => {
      const pick = (key: keyof Shown): string =>
        median(shown.map((one) => one[key])).toFixed(key === 'used' ? 2 : 0)
      return `${name.padEnd(40)} ${pick('edits')} edits, ${pick('used')} a second, ${pick('refused')} refused with 429, ${pick('behind')} lines behind ${AFTER_MS / 1000} s after the end`
    }),
    `SKYNET: 429s ${refused}  aim 0  ${refused === 0 ? 'met' : 'MISSED'}`,
    `SKYNET: share of one edit a second ${(used * 100).toFixed(0)}%  aim 95% or more  ${used >= 0.95 ? 'met' : 'MISSED'}`,
    `SKYNET: final text ${behind === 0 ? 'whole  met' : `${behind} lines short  MISSED`}`,
  ]
}
