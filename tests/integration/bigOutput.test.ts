import { readFileSync, writeFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runningUrl } from '../../cli/openStorage.ts'
import { type Playground, type StoredMessage, startPlayground } from '../../playground/server.ts'
import { type Home, newHome, type Skynet, until } from './startSkynet.ts'

/*
 * Commands that print far too much, through all processes as `skynet start` runs them: what each of them needs for it,
 * what the ledger takes, and what people get to see.
 */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const ana = { id: 7_000_001, first_name: 'Ana' }
const token = `1000000001:${'a'.repeat(35)}`
const MB = 1024 * 1024

let home: Home
let telegram: Playground
let skynet: Skynet
let ledger: pg.Client
beforeAll(async () => {
  telegram = await startPlayground({
    ...{ port: 0, token, stateFile: null, visitor: ana, botName: 'SKYNET', secret: 'x'.repeat(24) },
    limits: { perChatPerSecond: 1e6, burst: 1e6, groupPerMinute: 1e6, overallPerSecond: 1e6 },
  })
  home = await newHome({
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_OWNER_IDS: String(ana.id),
  })
  skynet = home.start()
  await skynet.healthy()
  ledger = new pg.Client({ connectionString: (await runningUrl(home.dataDir)) ?? '' })
  await ledger.connect()
  // What the first command of all brings into memory is not what this is about.
  await run('seq 1000')
})
afterAll(async () => {
  await ledger?.end()
  skynet?.signal('SIGKILL')
  await home?.gone(10_000).catch(() => {})
  await telegram?.close()
  home?.remove()
})

const textOf = (m: StoredMessage): string => m.text ?? m.caption ?? ''
const said = (pattern: RegExp): StoredMessage | undefined =>
  telegram
    .chat(ana.id)
    .find((m) => m.from.is_bot && (pattern.test(textOf(m)) || pattern.test(m.document?.file_name ?? '')))

async function shows(pattern: RegExp): Promise<StoredMessage> {
  const state = () => `for ${pattern}\n${telegram.chat(ana.id).map(textOf).join('\n')}\n${skynet.out}`
  await until(() => said(pattern) !== undefined, 30_000, state)
  return said(pattern) as StoredMessage
}

let runs = 0
/** Runs a command to its end; resolves with the number of its run and its card. */
async function run(command: string): Promise<{ number: number; card: string }> {
  const number = ++runs
  telegram.say(`/run ${command}`)
  const card = await shows(new RegExp(`✅ #${number} succeeded`))
  return { number, card: textOf(card) }
}

async function logFile(number: number): Promise<string> {
  telegram.say(`/logs #${number}`)
  const { document } = await shows(new RegExp(`^run-${number}.*\\.(txt|log)$`))
  const found = await fetch(`${telegram.url}/bot${token}/getFile?file_id=${document?.file_id}`)
  const { result } = (await found.json()) as { result: { file_path: string } }
  return (await fetch(`${telegram.url}/file/bot${token}/${result.file_path}`)).text()
}

/** Memory that each process has needed at most since it was last asked, in bytes. */
function peaks(): Map<string, number> {
  const found = new Map<string, number>()
  for (const [pid, command] of home.processes()) {
    const part = /(?:^|\/)(gateway|agent|cli)\/main\.ts/.exec(command)?.[1]
    if (!part || /unshare|bwrap/.test(command)) continue
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    found.set(part, Number(peak) * 1024)
    // From here on it is measured anew.
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  }
  return found
}

async function rowsOf(number: number): Promise<{ rows: number; bytes: number }> {
  const { rows } = await ledger.query<{ rows: number; bytes: number }>(
    `SELECT count(*)::int AS rows, coalesce(sum(octet_length(l.text)), 0)::int AS bytes FROM log_chunk l
     JOIN attempt a ON a.id = l.attempt_id JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id WHERE r.number = $1`,
    [number],
  )
  return rows[0] ?? { rows: 0, bytes: 0 }
}

const cases: [name: string, command: string, bytes: number, head: string, tail: string][] = [
  ['100 MB', 'seq 12500000', 101_388_897, '1\n2\n3\n', '\n12499999\n12500000\n'],
  [
    'one line of 50 MB',
    "head -c 50000000 /dev/zero | tr '\\0' 0",
    50_000_000,
    '0'.repeat(200_000),
    `${'0'.repeat(200_000)}\n`,
  ],
  ['a million tiny lines', 'seq 1000000', 6_888_896, '1\n2\n3\n', '\n999999\n1000000\n'],
]

test.each(cases)(
  '%s: bounded in every process and in the ledger; head and tail are there, and what is left out is said',
  async (name, command, bytes, head, tail) => {
    const before = peaks()
    const { number, card } = await run(command)
    const { rows, bytes: kept } = await rowsOf(number)
    const file = await logFile(number)
    const after = peaks()
    const grown = [...after].map(([part, peak]) => [part, (peak - (before.get(part) ?? 0)) / MB] as const)
    if (process.env.TEST_FIGURES)
      console.log(
        `${name}: ${rows} rows, ${kept} bytes; ${[...after].map(([part, peak]) => `${part} ${(peak / MB).toFixed(0)} MB at most`).join(', ')}; grown ${grown.map(([part, mb]) => `${part} ${mb.toFixed(0)}`).join(', ')}`,
      )
    expect(after.size).toBe(3)
    for (const [part, mb] of grown) expect([part, mb < 60]).toEqual([part, true])
    // Head and tail of 256 KiB each, and what one read of a pipe brings beyond the head.
    expect(kept).toBeLessThan(0.7 * MB)
    expect(rows).toBeLessThan(300)
    const text = file.replace(/^.*\n/, '')
    const note = /\[… ([\d.]+) MB left out here \((\d+) bytes\) …\]\n/.exec(text)
    expect(text.startsWith(head)).toBe(true)
    expect(text.endsWith(tail)).toBe(true)
    expect(Number(note?.[2]) + kept - Buffer.byteLength(note?.[0] ?? '')).toBe(bytes)
    expect(Number(note?.[1])).toBeCloseTo(Number(note?.[2]) / 1e6, 1)
    expect(card).toContain(`the log lacks ${note?.[1]} MB from its middle`)
  },
)
