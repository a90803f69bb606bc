import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fullLog } from '../../bot/delivery/fullLog.ts'
import { archivePath } from '../../core/archive/archiveFile.ts'
import { pruneArchive } from '../../core/archive/pruneArchive.ts'
import { readAnyLogPage } from '../../core/archive/readArchivedPage.ts'
import type { Deps } from '../../core/deps.ts'
import { readEvents } from '../../core/events/readEvents.ts'
import { logStart } from '../../core/runs/readLogPage.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { archiveOnce } from '../../workers/maintenance/archive.ts'
import { pruneOnce } from '../../workers/maintenance/prune.ts'
import { pruneEventsOnce } from '../../workers/maintenance/pruneEvents.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  exited,
  log,
  replayed,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

const DAY = 86_400_000

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let dir: string
const deps = (): Deps => control.deps
const withRetention = (more: Partial<Deps['settings']['retention']>, archiveDir = dir): Deps => ({
  ...deps(),
  settings: { ...deps().settings, archiveDir, retention: { ...deps().settings.retention, ...more } },
})

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(deps())
})
afterAll(async () => {
  await control.close()
  await database.drop()
})
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skynet-archive-'))
  await deps().db.query('UPDATE run SET archived_at = clock_timestamp() WHERE ended_at IS NOT NULL')
  await deps().db.query("DELETE FROM installation WHERE key = 'archive'")
  await deps().db.query("DELETE FROM lease WHERE name = 'archive'")
  return () => rmSync(dir, { recursive: true, force: true })
})

type Ended = { id: string; number: number; attemptId: string }

/** A run that printed these lines and ended so many days ago. */
async function endedRun(days: number, lines: string[] = ['one\n', 'two\n']): Promise<Ended> {
  const run = await startRun(deps(), machine, [{ key: 'a' }])
  const { claims } = await claimTasks(deps(), 10)
  const [claim] = claims
  if (!claim) throw new Error('nothing was claimed')
  await report(deps(), claim, accepted(), started(), ...lines.map(log), result('succeeded'), exited())
  await age(run.id, days)
  return { ...run, attemptId: claim.attemptId }
}

const age = (id: string, days: number): Promise<object[]> =>
  deps().db.query("UPDATE run SET ended_at = clock_timestamp() - $2 * interval '1 day' WHERE id = $1", [
    id,
    days,
  ])
const chunks = async (attemptId: string): Promise<number> =>
  (await deps().db.query('SELECT 1 FROM log_chunk WHERE attempt_id = $1', [attemptId])).length
const runRow = async (id: string) => {
  const [row] = await deps().db.query<{
    number: number
    createdAt: Date
    archived_at: Date | null
    grants: unknown[]
  }>(
    `SELECT number, created_at AS "createdAt", archived_at, (SELECT array_agg(a."grant") FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = r.id) AS grants FROM run r WHERE id = $1`,
    [id],
  )
  if (!row) throw new Error('no such run')
  return row
}
const fileOf = async (id: string): Promise<string> => archivePath(dir, await runRow(id))

describe('the archive', () => {
  test('an ended run’s log goes into one file and is read from there; a younger one stays', async () => {
    const [old, young] = [await endedRun(8), await endedRun(6)]
    const before = await fullLog(withRetention({}), old.id)
    expect(await archiveOnce(withRetention({}))).toBe(1)
    const row = await runRow(old.id)
    expect(existsSync(archivePath(dir, row))).toBe(true)
    expect(statSync(archivePath(dir, row)).mode & 0o777).toBe(0o600)
    expect(row.archived_at).not.toBeNull()
    expect(row.grants).toEqual([{}])
    expect(await chunks(old.attemptId)).toBe(0)
    expect(await chunks(young.attemptId)).toBe(2)
    expect(await fullLog(withRetention({}), old.id)).toBe(before)
    expect(before).toContain('one\ntwo\n')
    expect(await archiveOnce(withRetention({}))).toBe(0)
    await age(young.id, 8)
    expect(await archiveOnce(withRetention({}))).toBe(1)
  })

  test('a reader of pages goes on across it, and misses nothing', async () => {
    const run = await endedRun(8, ['one\n', 'two\n', 'three\n'])
    const first = await readAnyLogPage(withRetention({}), run.id, logStart, 1, null)
    await archiveOnce(withRetention({}))
    const second = await readAnyLogPage(withRetention({}), run.id, first.cursor, 1, 'a')
    const third = await readAnyLogPage(withRetention({}), run.id, second.cursor, 5, null)
    const rest = await readAnyLogPage(withRetention({}), run.id, third.cursor, 5, null)
    const texts = [first, second, third, rest].map(({ pieces }) => pieces.map(({ text }) => text))
    expect(texts).toEqual([['one\n'], ['two\n'], ['three\n'], []])
    expect(Object.keys(rest.cursor.read)).toEqual([])
    expect((await readAnyLogPage(withRetention({}), run.id, logStart, 9, 'b')).pieces).toEqual([])
  })

  test('more log than the ledger may hold: the oldest goes first', async () => {
    const runs = [await endedRun(3), await endedRun(2), await endedRun(1)]
    await deps().db.query(
      `UPDATE attempt SET result = result || '{"output_bytes": 5000000, "output_lost": 1000000}' WHERE id = ANY($1::uuid[])`,
      [runs.map((run) => run.attemptId)],
    )
    expect(await archiveOnce(withRetention({ logsMaxBytes: 8_500_000 }))).toBe(1)
    expect(await Promise.all(runs.map((run) => chunks(run.attemptId)))).toEqual([0, 2, 2])
  })

  test('lines that arrive after it was archived join the file', async () => {
    const run = await endedRun(8)
    await archiveOnce(withRetention({}))
    await report(deps(), { attemptId: run.attemptId, agentId: machine.agentId }, log('late\n'))
    expect((await runRow(run.id)).archived_at).toBeNull()
    expect(await fullLog(withRetention({}), run.id)).toContain('one\ntwo\nlate\n')
    expect(await archiveOnce(withRetention({}))).toBe(1)
    expect(await chunks(run.attemptId)).toBe(0)
    expect(await fullLog(withRetention({}), run.id)).toContain('one\ntwo\nlate\n')
  })

  test('a process that does not reach the archive leaves the logs where they are, and says where they would be', async () => {
    await endedRun(8)
    await archiveOnce(withRetention({}))
    const run = await endedRun(8)
    const elsewhere = mkdtempSync(join(tmpdir(), 'skynet-elsewhere-'))
    const lines: string[] = []
    const log2 = { ...deps().log, info: ((text: string) => lines.push(text)) as never }
    expect(await archiveOnce({ ...withRetention({}, elsewhere), log: log2 })).toBe(0)
    expect(lines.join()).toContain(`logs are archived in ${dir} on `)
    expect(await chunks(run.attemptId)).toBe(2)
    await archiveOnce(withRetention({}))
    expect(await fullLog(withRetention({}, elsewhere), run.id)).toMatch(
      /^The log of this run is in the archive on .*cannot be read from here/,
    )
    rmSync(elsewhere, { recursive: true })
  })

  test('two processes at once: one archives', async () => {
    const run = await endedRun(8)
    await deps().db.query(
      "INSERT INTO lease (name, holder, until) VALUES ('archive', 'another', clock_timestamp() + interval '1 minute')",
    )
    expect(await archiveOnce(withRetention({}))).toBe(0)
    expect(await chunks(run.attemptId)).toBe(2)
  })

  test.each(['archive.written:before', 'archive.written:after', 'archive.moved:before'])(
    'killed at %s: nothing is lost, nothing is twice, and the next one finishes',
    async (point) => {
      const run = await endedRun(
        8,
        Array.from({ length: 50 }, (_, n) => `line ${n}\n`),
      )
      const before = await fullLog(withRetention({}), run.id)
      await archiveUntilKilled(point)
      expect(await fullLog(withRetention({}), run.id)).toBe(before)
      expect(await chunks(run.attemptId)).toBe(50)
      await deps().db.query("DELETE FROM lease WHERE name = 'archive'")
      expect(await archiveOnce(withRetention({}))).toBe(1)
      expect(await chunks(run.attemptId)).toBe(0)
      expect(await fullLog(withRetention({}), run.id)).toBe(before)
      expect(readdirSync(join(dir, new Date().toISOString().slice(0, 7)))).toEqual([
        `run-${run.number}.jsonl.gz`,
      ])
    },
  )

  /** Archives in a process of its own, which dies at the failpoint. */
  async function archiveUntilKilled(point: string): Promise<void> {
    const script = `
      const { openTestControl } = await import('${join(import.meta.dirname, '../support/control.ts')}')
      const { archiveOnce } = await import('${join(import.meta.dirname, '../../workers/maintenance/archive.ts')}')
      const { deps } = await openTestControl({ databaseUrl: process.env.URL, settings: { archiveDir: process.env.DIR } })
      await archiveOnce(deps)
      process.exit(0)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { PATH: process.env.PATH, URL: database.url, DIR: dir, SKYNET_FAILPOINT: point },
      stdio: 'ignore',
    })
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect(signal).toBe('SIGKILL')
  }

  test('files go when they are too old, and the oldest when there is too much; so do halves', async () => {
    const month = join(dir, '2026-01')
    mkdirSync(month)
    const now = Date.now()
    for (let n = 1; n <= 5; n++) {
      const path = join(month, `run-${n}.jsonl.gz`)
      writeFileSync(path, Buffer.alloc(1000))
      utimesSync(path, new Date(now - n * DAY), new Date(now - n * DAY))
    }
    writeFileSync(join(month, 'run--7.jsonl.gz'), 'x')
    utimesSync(join(month, 'run--7.jsonl.gz'), new Date(now - 9 * DAY), new Date(now - 9 * DAY))
    const half = join(month, 'run-9.jsonl.gz.part')
    writeFileSync(half, 'x')
    utimesSync(half, new Date(now - DAY), new Date(now - DAY))
    writeFileSync(join(month, 'not-ours.txt'), 'x')
    expect(await pruneArchive(dir, 4.5 * DAY, 3000, now)).toBe(4)
    expect(readdirSync(month).sort()).toEqual([
      'not-ours.txt',
      'run-1.jsonl.gz',
      'run-2.jsonl.gz',
      'run-3.jsonl.gz',
    ])
  })

  test('a log past its time is gone, archived or not, and that is said', async () => {
    const [filed, never] = [await endedRun(8), await endedRun(31)]
    await archiveOnce(withRetention({ archiveAfterMs: 40 * DAY, logsMaxBytes: 1e9 }))
    expect(await pruneOnce(withRetention({}))).toBeGreaterThan(0)
    expect(await chunks(never.attemptId)).toBe(0)
    expect(await chunks(filed.attemptId)).toBe(2)
    expect(await fullLog(withRetention({}), never.id)).toMatch(/^The log of this run is no longer kept/)
    await archiveOnce(withRetention({}))
    rmSync(await fileOf(filed.id))
    expect(await fullLog(withRetention({}), filed.id)).toMatch(/^The log of this run is no longer kept/)
  })
})

describe('events', () => {
  const eventsOf = async (runId: string): Promise<number> =>
    (await deps().db.query('SELECT 1 FROM event WHERE run_id = $1', [runId])).length

  test('those of a run go together, long after its end; replaying the rest gives the states', async () => {
    const [old, young] = [await endedRun(91), await endedRun(89)]
    const live = await startRun(deps(), machine, [{ key: 'a', command: 'touch x' }])
    await deps().db.query("UPDATE event SET at = at - interval '100 days' WHERE run_id = $1", [live.id])
    const kept = await eventsOf(young.id)
    expect(await pruneEventsOnce(withRetention({}))).toBeGreaterThan(5)
    expect([await eventsOf(old.id), await eventsOf(young.id)]).toEqual([0, kept])
    expect(await eventsOf(live.id)).toBeGreaterThan(0)
    const now = await actual(deps())
    const told = await replayed(deps())
    for (const [name, status] of Object.entries(told)) expect([name, now[name]]).toEqual([name, status])
    expect(told[`run ${young.id}`]).toBe('succeeded')
  })

  test('what a reader has not read stays', async () => {
    const run = await endedRun(91)
    const [first] = await readEvents(deps().db, '0.0', 1)
    await deps().db.query("INSERT INTO event_cursor (reader, cursor) VALUES ('slow', $1)", [first?.cursor])
    const before = await eventsOf(run.id)
    await pruneEventsOnce(withRetention({}))
    expect(await eventsOf(run.id)).toBe(before)
    await deps().db.query("DELETE FROM event_cursor WHERE reader = 'slow'")
    await pruneEventsOnce(withRetention({}))
    expect(await eventsOf(run.id)).toBe(0)
  })

  test('too many of them: of runs that ended over a day ago first', async () => {
    const [day2, today] = [await endedRun(2), await endedRun(0)]
    await deps().db.query('ANALYZE event')
    await pruneEventsOnce(withRetention({ eventsMaxBytes: 1 }))
    expect(await eventsOf(day2.id)).toBe(0)
    expect(await eventsOf(today.id)).toBeGreaterThan(0)
  })
})

test('a backlog is pruned in small steps, each of bounded length', async () => {
  await deps().db.query(
    `INSERT INTO delivery (method, payload, status, created_at) SELECT 'sendMessage', '{}', 'sent', now() - interval '15 days' FROM generate_series(1, 12000)`,
  )
  await deps().db.query("INSERT INTO delivery (method, payload, status) VALUES ('sendMessage', '{}', 'sent')")
  let longest = 0
  const watched: Deps = {
    ...deps(),
    db: {
      ...deps().db,
      query: async (text, values) => {
        const rows = await deps().db.query(text, values)
        longest = Math.max(longest, rows.length)
        return rows as never
      },
    },
  }
  expect(await pruneOnce(watched)).toBe(12_000)
  expect(longest).toBe(1000)
})
