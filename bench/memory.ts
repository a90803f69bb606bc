import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decideApproval } from '../core/approvals/decideApproval.ts'
import type { Logger } from '../core/config/logger.ts'
import { listMachines } from '../core/fleet/machineFacts.ts'
import { meetPerson } from '../core/people/people.ts'
import { loadPolicy } from '../core/policy/loadPolicy.ts'
import { noRecovery } from '../core/recovery/ladder.ts'
import { startEmbeddedPostgres } from '../core/storage/embeddedPostgres.ts'
import type { Database } from '../core/storage/openDatabase.ts'
import { openDatabase } from '../core/storage/openDatabase.ts'
import { heldRun } from './heldRun.ts'
import { pause } from './system.ts'

const PORTS = { SKYNET_HTTP_PORT: '28780', SKYNET_GATEWAY_PORT: '28781', SKYNET_PLAYGROUND_PORT: '28782' }
const AIM_MB = 400

type Process = { pid: number; parent: number; name: string; mb: number }

/** Proportional set size of every process below `pid`, in megabytes, from the kernel's own account. */
async function below(pid: number): Promise<Process[]> {
  const all = await Promise.all(
    (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readProcess),
  )
  const known = all.filter((p) => p !== null)
  const found: Process[] = known.filter((p) => p.pid === pid)
  for (let n = 0; n < found.length; n++) found.push(...known.filter((p) => p.parent === found[n]?.pid))
  return found
}

async function readProcess(pid: string): Promise<Process | null> {
  try {
    const [stat, rollup, command] = await Promise.all(
      ['stat', 'smaps_rollup', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
    )
    const kb = Number(/^Pss:\s+(\d+)/m.exec(rollup ?? '')?.[1] ?? 0)
    return {
      pid: Number(pid),
      parent: Number(/\) \S (\d+)/.exec(stat ?? '')?.[1]),
      name: (command ?? '').replaceAll('\0', ' '),
      mb: kb / 1024,
    }
  } catch {
    return null
  }
}

const part = (name: string): string =>
  /gateway\/main/.test(name) ? 'gateway' : /agent\/main/.test(name) ? 'agent' : 'control plane'
const isOurs = (p: Process): boolean =>
  /\bnode\b/.test(p.name) && /(cli|gateway|agent)\/main\.ts/.test(p.name)

async function line(title: string, pid: number): Promise<string> {
  const ours = (await below(pid)).filter(isOurs)
  const sum = ours.reduce((total, p) => total + p.mb, 0)
  return `${title.padEnd(34)} ${sum.toFixed(0)} MB  (${ours.map((p) => `${part(p.name)} ${p.mb.toFixed(0)}`).join(', ')})  aim below ${AIM_MB} MB  ${sum < AIM_MB ? 'met' : 'MISSED'}`
}

/** The whole system idle, and with 1,000 queued tasks behind eight that run. */
export async function memory(): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-memory-'))
  await mkdir(join(dir, 'work'))
  const env = {
    ...process.env,
    ...PORTS,
    SKYNET_DATA_DIR: join(dir, 'data'),
    SKYNET_AGENT_ROOTS: join(dir, 'work'),
    SKYNET_LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli/main.ts'), 'start'], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  try {
    await healthy()
    await pause(20_000)
    const idle = await line('idle, 20 s after the start', child.pid ?? 0)
    const database = await startEmbeddedPostgres(join(dir, 'data'))
    const db = openDatabase({
      url: database.url,
      poolSize: 2,
      log: { warn: (line) => console.error(line) } as Pick<Logger, 'warn'>,
    })
    await queueTasks(db, 1008)
    await pause(5000)
    const [row] = await db.query<{ n: number }>("SELECT count(*)::int AS n FROM task WHERE status = 'queued'")
    const loaded = await line(`with ${row?.n ?? 0} queued tasks`, child.pid ?? 0)
    await db.close()
    return [idle, loaded]
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
    await rm(dir, { recursive: true, force: true })
  }
}

/** Approved tasks that sleep: eight run, the rest queue. The system's own tick finds them. */
async function queueTasks(db: Database, count: number): Promise<void> {
  const policy = await loadPolicy(null)
  const [machine] = await listMachines(db)
  if (!machine) throw new Error('no machine is connected')
  const person = await meetPerson(db, { id: 1, name: 'Bench' }, [1])
  const deps = {
    wake: () => {},
    bus: {
      publish: () => {},
      subscribe: () => () => {},
      connected: () => true,
      dropped: () => 0,
      close: async () => {},
    },
    settings: { fourEyes: false, approvalTtlMs: 3_600_000, approvalQuorum: 1, recovery: noRecovery },
  }
  for (let left = count; left > 0; left -= 48) {
    const run = await heldRun(
      db,
      policy,
      machine,
      { action: 'shell', params: { command: 'sleep 300' } },
      Math.min(48, left),
    )
    await db.tx((tx) =>
      decideApproval(deps, tx, {
        approvalId: run.approvalId,
        personId: person.id,
        decision: 'approved',
        planHash: run.hash,
      }),
    )
  }
}

async function healthy(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`http://127.0.0.1:${PORTS.SKYNET_HTTP_PORT}/v1/health`).catch(() => null)
    if (answer?.status === 200) return
    await pause(100)
  }
  throw new Error('the system did not become healthy')
}
