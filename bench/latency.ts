import { watchRuns } from '../bot/cards/watchRuns.ts'
import { latencyLine } from './figures.ts'
import { type BenchSystem, pause, user } from './system.ts'

const ROUNDS = 60
const WARM_UP = 8
/** Between two looks at the ledger: seldom enough not to be part of what is measured. Each moment is read elsewhere. */
const LOOK_MS = 25

/** Wall clock in milliseconds with fractions: the same clock that `date` and PostgreSQL read. */
const wall = (): number => performance.timeOrigin + performance.now()

type Row = { id: string; number: number; status: string }

async function newestRun(system: BenchSystem, wanted: string[]): Promise<Row> {
  for (let tries = 0; tries < 2000; tries++) {
    const [row] = await system.control.deps.db.query<Row>(
      'SELECT id, number, status FROM run ORDER BY number DESC LIMIT 1',
    )
    if (row && wanted.includes(row.status)) return row
    await pause(LOOK_MS)
  }
  throw new Error(`no run became ${wanted.join(' or ')}`)
}

/** The first message to the chat after `after`, by the local Telegram's record of calls. */
function nextCall(system: BenchSystem, method: string): Promise<number> {
  return new Promise((resolve) => {
    const end = system.playground.onCall((call: { method: string }) => {
      if (call.method !== method) return
      end()
      resolve(wall())
    })
  })
}

async function messageToReply(system: BenchSystem): Promise<number[]> {
  const values: number[] = []
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const replied = nextCall(system, 'sendMessage')
    const t0 = wall()
    system.playground.say('/run true')
    const took = (await replied) - t0
    await newestRun(system, ['succeeded'])
    await pause(20)
    if (round >= WARM_UP) values.push(took)
  }
  return values
}

/** From a question about work to its answer from the ledger, while that work runs. */
async function questionToAnswer(system: BenchSystem): Promise<number[]> {
  const values: number[] = []
  const asked = system.playground.say('/run sleep 300')
  await runningProcess(system)
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const replied = nextCall(system, 'sendMessage')
    const t0 = wall()
    system.playground.say('what is it waiting for?')
    const took = (await replied) - t0
    await pause(20)
    if (round >= WARM_UP) values.push(took)
  }
  await tapWhenThere(system, 'Cancel', asked)
  await newestRun(system, ['cancelled'])
  return values
}

/** The button of the newest message that has it. */
function findButton(system: BenchSystem, text: string, after = 0): { messageId: number } | null {
  for (const message of [...system.playground.chat()].reverse()) {
    if (message.message_id <= after) return null
    const rows =
      (message.reply_markup as { inline_keyboard?: { text: string }[][] } | undefined)?.inline_keyboard ?? []
    if (rows.flat().some((button) => button.text === text)) return { messageId: message.message_id }
  }
  return null
}

async function tapWhenThere(system: BenchSystem, text: string, after = 0): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const found = findButton(system, text, after)
    if (found) {
      const t0 = wall()
      system.playground.tap(user.id, found.messageId, text)
      return t0
    }
    await pause(5)
  }
  throw new Error(`no button ${text}`)
}

/** From the tap on Approve to the moment the started command itself reads the clock. */
async function tapToStart(system: BenchSystem): Promise<number[]> {
  const values: number[] = []
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const asked = system.playground.say(`/run date +%s.%N > stamp-${round}`)
    await newestRun(system, ['awaiting_approval'])
    await pause(40)
    const t0 = await tapWhenThere(system, 'Approve', asked)
    const run = await newestRun(system, ['succeeded', 'failed'])
    const { readFile } = await import('node:fs/promises')
    const started = Number(await readFile(`${system.root}/stamp-${round}`, 'utf8')) * 1000
    if (run.status !== 'succeeded') throw new Error('the approved command failed')
    if (round >= WARM_UP) values.push(started - t0)
    await pause(20)
  }
  return values
}

async function cancelToExit(system: BenchSystem): Promise<number[]> {
  const values: number[] = []
  for (let round = 0; round < ROUNDS / 2 + WARM_UP; round++) {
    const asked = system.playground.say('/run sleep 300')
    const run = await runningProcess(system)
    const t0 = await tapWhenThere(system, 'Cancel', asked)
    await newestRun(system, ['cancelled'])
    const [row] = await system.control.deps.db.query<{ at: number }>(
      'SELECT extract(epoch FROM a.exited_at)::float8 * 1000 AS at FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1 AND a.exited_at IS NOT NULL',
      [run.id],
    )
    if (!row) throw new Error('cancelled without a confirmed exit')
    if (round >= WARM_UP) values.push(row.at - t0)
    await pause(20)
  }
  return values
}

async function runningProcess(system: BenchSystem): Promise<Row> {
  for (let tries = 0; tries < 1000; tries++) {
    const [row] = await system.control.deps.db.query<Row>(
      "SELECT r.id, r.number, r.status FROM run r JOIN task t ON t.run_id = r.id WHERE t.status = 'running' AND r.status = 'running' ORDER BY r.number DESC LIMIT 1",
    )
    if (row) return row
    await pause(5)
  }
  throw new Error('nothing started')
}

/** From the moment a running command writes a line (it writes its clock) to the edit of its card being queued. */
async function lineToEdit(system: BenchSystem): Promise<number[]> {
  const { deps } = system.control
  const values: number[] = []
  let stamps: number[] = []
  const endLog = deps.bus.subscribe('log', ({ text }) => {
    stamps = text
      .split('\n')
      .filter((line) => /^\d{10}\.\d+$/.test(line))
      .map((line) => Number(line) * 1000)
  })
  const endWatch = watchRuns(
    { ...deps, ownerIds: [], redact: (text) => text, gatewayUrl: '' },
    {
      markCard: () => {
        const now = wall()
        for (const stamp of stamps) values.push(now - stamp)
        stamps = []
      },
    },
  )
  const asked = system.playground.say('/run for i in $(seq 80); do date +%s.%N; sleep 0.05; done')
  await pause(300)
  if (findButton(system, 'Approve', asked)) await tapWhenThere(system, 'Approve', asked)
  await newestRun(system, ['succeeded', 'failed', 'refused'])
  endLog()
  endWatch()
  return values.slice(WARM_UP)
}

/** The latencies of the chat, on loopback, with Telegram's rate limits off. */
export async function latencies(system: BenchSystem): Promise<string[]> {
  return [
    latencyLine('message to first reply', await messageToReply(system), { p50: 10, p99: 50 }),
    latencyLine('question to answer', await questionToAnswer(system), { p50: 20, p99: 100 }),
    latencyLine('tap to process start', await tapToStart(system), { p50: 30, p99: 100 }),
    latencyLine('cancel to confirmed exit', await cancelToExit(system), { p50: 60, p99: 200 }),
    latencyLine('log line to edit being queued', await lineToEdit(system), { p50: 20, p99: 100 }),
  ]
}
