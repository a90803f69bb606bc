import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Control, openControl } from '../cli/openControl.ts'
import { listMachines } from '../core/fleet/machineFacts.ts'
import { actionNames } from '../core/protocol/actions.ts'
import type { AgentFacts } from '../core/protocol/frames.ts'
import { claimTasks } from '../core/scheduling/claimTasks.ts'
import { median, percentile } from './figures.ts'
import { heldRun } from './heldRun.ts'

const SIZES = [1000, 10_000, 100_000]
const ROUNDS = 60
const FLAT = 2

/** How the queue looks: whose tasks they are, and whether another task has the files of all of them. */
const scenes = [
  { name: 'one chat', chats: 1, blocked: false },
  { name: '20 chats', chats: 20, blocked: false },
  { name: 'all wait for one file', chats: 10, blocked: true },
]

/** Milliseconds of one claim of 16 tasks (or of finding none), at queues of three lengths: it has to stay flat. */
export async function claims(): Promise<string[]> {
  const lines: string[] = []
  for (const scene of scenes) lines.push(...(await sceneLines(scene)))
  return lines
}

async function sceneLines(scene: (typeof scenes)[number]): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-claims-'))
  const control = await openControl(
    { ...process.env, SKYNET_DATA_DIR: dir, SKYNET_LOG_LEVEL: 'error' },
    'bench',
  )
  try {
    const template = await prepare(control)
    const medians: number[] = []
    const lines: string[] = []
    let queued = 0
    for (const size of SIZES) {
      await fill(control, template, scene, size - queued)
      queued = size
      const took = await claimOften(control)
      medians.push(median(took))
      lines.push(
        `${scene.name.padEnd(22)} ${String(size).padStart(7)} queued   p50 ${median(took).toFixed(1)} ms  p99 ${percentile(took, 99).toFixed(1)} ms`,
      )
    }
    const ratio = Math.max(...medians) / (medians[0] ?? 1)
    return [
      ...lines,
      `${scene.name.padEnd(22)} slowest to 1,000   ${ratio.toFixed(2)}  aim ${FLAT}  ${ratio <= FLAT ? 'met' : 'MISSED'}`,
    ]
  } finally {
    await control.close()
    await rm(dir, { recursive: true, force: true })
  }
}

const facts: AgentFacts = {
  name: 'bench',
  machine_id: 'bench',
  platform: 'linux-x64',
  home: '/home/bench',
  roots: ['/work'],
  repositories: [],
  links: [],
  capabilities: [...actionNames],
  containment: 'bwrap',
  confined: { calls: true, limits: true, processes: true, sockets: true },
  load: { running: 0, average: 0, cores: 8 },
  version: '0',
}

/** A machine that exists in the ledger only, and one task to copy. */
async function prepare({ deps: { db, policy } }: Control): Promise<string> {
  const [agentId, gatewayId] = [randomUUID(), randomUUID()]
  await db.query(
    "INSERT INTO gateway (id, name, url, last_seen_at) VALUES ($1, 'bench', 'http://127.0.0.1:9', clock_timestamp())",
    [gatewayId],
  )
  await db.query(
    `INSERT INTO agent (id, name, machine_id, credential_hash, facts, gateway_id, last_seen_at, connected)
     VALUES ($1, 'bench', 'bench', 'x', $2, $3, clock_timestamp(), true)`,
    [agentId, JSON.stringify(facts), gatewayId],
  )
  await db.query(
    'INSERT INTO agent_link (agent_id, gateway_id, last_seen_at) VALUES ($1, $2, clock_timestamp())',
    [agentId, gatewayId],
  )
  const [machine] = await listMachines(db)
  if (!machine) throw new Error('the machine of the benchmark is not there')
  const { runId } = await heldRun(db, policy, machine, { action: 'shell', params: { command: 'sleep 1' } }, 1)
  const [task] = await db.query<{ id: string }>('SELECT id FROM task WHERE run_id = $1', [runId])
  return task?.id ?? ''
}

async function fill(
  { deps: { db } }: Control,
  template: string,
  { chats, blocked }: (typeof scenes)[number],
  count: number,
): Promise<void> {
  await db.query(
    `WITH made AS (
       INSERT INTO run (id, kind, status, request, chat_id)
       SELECT gen_random_uuid(), 'api', 'running', 'bench', n % $3 FROM generate_series(1, $2::int) n RETURNING id, chat_id)
     INSERT INTO task (id, run_id, plan_id, key, position, title, status, action, effect, spec, spec_hash, agent_id, machine_id, cwd, owns, verdict, queued_at, lane)
     SELECT gen_random_uuid(), made.id, t.plan_id, made.id::text, 0, t.title, 'queued', t.action, CASE WHEN $4 THEN 'write' ELSE t.effect END, t.spec, t.spec_hash,
       t.agent_id, t.machine_id, t.cwd, CASE WHEN $4 THEN '{/work}'::text[] ELSE '{}' END, t.verdict, clock_timestamp(), md5('chat ' || made.chat_id)
     FROM made, task t WHERE t.id = $1`,
    [template, count, chats, blocked],
  )
  if (blocked)
    await db.query(
      "INSERT INTO file_ownership (machine_id, path, task_id) VALUES ('bench', '/work/x', $1) ON CONFLICT DO NOTHING",
      [template],
    )
  await db.query('VACUUM ANALYZE')
}

/** Claims again and again; what was claimed counts as done before the next one. */
async function claimOften({ deps }: Control): Promise<number[]> {
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    const { claims } = await claimTasks(deps, 64)
    if (round >= 10) took.push(performance.now() - began)
    await deps.db.query("UPDATE attempt SET status = 'exited' WHERE id = ANY($1::uuid[])", [
      claims.map((claim) => claim.attemptId),
    ])
  }
  return took
}
