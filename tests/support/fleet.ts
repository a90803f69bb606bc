import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decideApproval } from '../../core/approvals/decideApproval.ts'
import type { Deps } from '../../core/deps.ts'
import { credentialHash } from '../../core/fleet/enrolAgent.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { meetPerson, type Role, setRole } from '../../core/people/people.ts'
import { commitRevision } from '../../core/planning/commitRevision.ts'
import { actionNames } from '../../core/protocol/actions.ts'
import type { AgentFacts, AttemptFrame, ExecutionResult } from '../../core/protocol/frames.ts'
import type { ActionRequest } from '../../core/protocol/http.ts'
import { PlanSpec } from '../../core/protocol/specs.ts'
import { createRun } from '../../core/runs/createRun.ts'
import { recordFrames } from '../../core/runs/recordFrames.ts'

/*
 * Machines that exist in the ledger only, for tests of the control plane without processes:
 *
 *   const machine = await addMachine(deps, { name: 'laptop' })
 *   const run = await startRun(deps, machine, [{ key: 'a' }, { key: 'b', after: ['a'], command: 'touch b' }])
 *   await approve(deps, run.id)
 *   const { claims } = await claimTasks(deps, 10)
 *   await report(deps, claim, accepted(), started(), result('succeeded'), exited())
 */

export type TestMachine = {
  agentId: string
  name: string
  machineId: string
  gatewayId: string
  root: string
  credential: string
}

export async function addMachine(
  { db }: Pick<Deps, 'db'>,
  options: { name?: string; machineId?: string; gatewayUrl?: string } = {},
): Promise<TestMachine> {
  const [agentId, gatewayId, credential] = [randomUUID(), randomUUID(), randomUUID()]
  const {
    name = `m-${agentId.slice(0, 8)}`,
    machineId = randomUUID(),
    gatewayUrl = 'http://127.0.0.1:9',
  } = options
  const machine = { agentId, name, machineId, gatewayId, root: '/work', credential }
  await db.query(
    "INSERT INTO gateway (id, name, url, last_seen_at) VALUES ($1, 'g', $2, clock_timestamp())",
    [gatewayId, gatewayUrl],
  )
  await db.query(
    `INSERT INTO agent (id, name, machine_id, credential_hash, facts, gateway_id, last_seen_at, connected)
     VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), true)`,
    [agentId, name, machineId, credentialHash(credential), JSON.stringify(factsOf(machine)), gatewayId],
  )
  await db.query(
    'INSERT INTO agent_link (agent_id, gateway_id, last_seen_at) VALUES ($1, $2, clock_timestamp())',
    [agentId, gatewayId],
  )
  return machine
}

export const factsOf = ({
  name,
  machineId,
  root,
}: Pick<TestMachine, 'name' | 'machineId' | 'root'>): AgentFacts => ({
  name,
  machine_id: machineId,
  platform: 'linux-x64',
  home: '/home/ana',
  roots: [root],
  repositories: [],
  capabilities: [...actionNames],
  containment: 'bwrap',
  confined: { calls: true, limits: true, processes: true, sockets: true },
  load: { running: 0, average: 0 },
  version: '0',
})

/** A step of a test's plan. `sleep 1` only reads and is allowed; `touch x` writes and asks. */
export type Step = {
  key: string
  after?: string[]
  command?: string
  files?: string[]
  cwd?: string
  milestone?: string
  machine?: TestMachine
}

/** A run with exactly these steps, planned and judged: running where all of it is allowed, else waiting for approval. */
export async function startRun(
  deps: Deps,
  machine: TestMachine,
  steps: Step[],
  personId: string | null = null,
): Promise<{ id: string; number: number; tasks: Record<string, string> }> {
  const milestones = [...new Set(steps.flatMap((s) => s.milestone ?? []))].map((key) => ({ key, title: key }))
  const plan = PlanSpec.parse({
    version: 1,
    summary: 'a test',
    milestones,
    tasks: steps.map((step) => taskOf(step, step.machine ?? machine)),
  })
  const quiet = { ...deps, wake: () => {} }
  const run = await deps.db.tx(async (tx) => {
    const created = await createRun(quiet, tx, {
      kind: 'request',
      request: 'a test',
      personId,
      chat: null,
      place: null,
    })
    await commitRevision(
      quiet,
      tx,
      created.id,
      { plan, source: { kind: 'command' } },
      { machines: await listMachines(tx) },
    )
    return created
  })
  const rows = await deps.db.query<{ id: string; key: string }>(
    'SELECT id, key FROM task WHERE run_id = $1',
    [run.id],
  )
  return { ...run, tasks: Object.fromEntries(rows.map((row) => [row.key, row.id])) }
}

function taskOf(step: Step, machine: TestMachine) {
  const { key, after = [], command = 'sleep 1', files = [], cwd = machine.root, milestone } = step
  return {
    key,
    title: `${key}: ${command}`,
    depends_on: after,
    ...(milestone ? { milestone } : {}),
    spec: {
      action: 'shell',
      params: { command },
      agent_id: machine.agentId,
      machine_id: machine.machineId,
      cwd,
      required_files: files,
      timeout_s: 60,
      network: false,
    },
  }
}

let people = 0
export async function addPerson({ db }: Pick<Deps, 'db'>, role: Role | null): Promise<string> {
  people += 1
  const { id } = await meetPerson(db, { id: 1_000_000 + people, name: `Person ${people}` }, [])
  if (role) await setRole(db, id, role, null)
  return id
}

/** Approves whatever the run asks about, as a new owner. */
export async function approve(deps: Deps, runId: string): Promise<void> {
  const personId = await addPerson(deps, 'owner')
  const pending = await deps.db.query<{ id: string; plan_hash: string }>(
    "SELECT id, plan_hash FROM approval WHERE run_id = $1 AND status = 'pending'",
    [runId],
  )
  for (const { id, plan_hash } of pending)
    await deps.db.tx((tx) =>
      decideApproval(deps, tx, { approvalId: id, personId, decision: 'approved', planHash: plan_hash }),
    )
}

// --- what an agent reports ---------------------------------------------------------------------------------------

type Body = AttemptFrame extends infer F
  ? F extends AttemptFrame
    ? Omit<F, 'execution_id' | 'seq' | 'at'>
    : never
  : never

export const accepted = (): Body => ({ type: 'accepted' })
export const started = (): Body => ({ type: 'started', pid: 1, containment: 'bwrap' })
export const log = (text: string): Body => ({ type: 'log', stream: 'stdout', text })
export const exited = (): Body => ({ type: 'exited' })
export const lostFrame = (): Body => ({ type: 'lost' })
export const refusedFrame = (code: string): Body => ({ type: 'refused', code, reason: 'no' })
export const result = (status: ExecutionResult['status'], summary = 'done'): Body => ({
  type: 'result',
  result: {
    status,
    exit_code: status === 'succeeded' ? 0 : 1,
    signal: null,
    summary,
    output_bytes: 0,
    output_lost: 0,
    duration_ms: 1,
    error: status === 'succeeded' ? null : status,
    changed: [],
  },
})

/** Frames numbered from `from`. */
export const framesOf = (executionId: string, bodies: Body[], from = 1): AttemptFrame[] =>
  bodies.map(
    (body, i) =>
      ({ ...body, execution_id: executionId, seq: from + i, at: new Date().toISOString() }) as AttemptFrame,
  )

export type Claimed = { attemptId: string; agentId: string }

/** Reports the next frames of an attempt, as its gateway does. */
export async function report(deps: Deps, claim: Claimed, ...bodies: Body[]) {
  const [row] = await deps.db.query<{ last_seq: number }>('SELECT last_seq FROM attempt WHERE id = $1', [
    claim.attemptId,
  ])
  return send(deps, claim, framesOf(claim.attemptId, bodies, (row?.last_seq ?? 0) + 1))
}

export const send = (deps: Deps, claim: Claimed, frames: AttemptFrame[]) =>
  recordFrames(deps, { gateway_id: randomUUID(), agent_id: claim.agentId, frames })

export const finish = (deps: Deps, claim: Claimed, status: ExecutionResult['status'] = 'succeeded') =>
  report(deps, claim, accepted(), started(), result(status), exited())

// --- a gateway ---------------------------------------------------------------------------------------------------

/** A gateway that takes down what it is asked and answers as told. */
export class FakeGateway {
  readonly actions: ActionRequest[] = []
  readonly cancels: string[] = []
  /** Status of the answer to `POST /action`; 0 cuts the connection after it arrived. */
  answer: (request: ActionRequest) => number = () => 202
  onAction: (request: ActionRequest) => void = () => {}
  /** What it says of files, when an agent is asked what they hold. */
  onInspect: () => Promise<object> = async () => ({ files: [] })
  /** Code of the error that it answers with. */
  code = ''
  url = ''
  #server: Server | null = null

  async start(): Promise<this> {
    const server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        if (req.url === '/inspect') {
          void this.onInspect().then((found) => res.end(JSON.stringify(found)))
          return
        }
        if (req.url?.startsWith('/cancel/')) this.cancels.push(req.url.slice('/cancel/'.length))
        const status =
          req.url === '/action'
            ? this.#take(JSON.parse(Buffer.concat(chunks).toString()) as ActionRequest)
            : 202
        if (status === 0) req.socket.destroy()
        else
          res
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify(status < 400 || this.code === '' ? {} : { error: { code: this.code } }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return this
  }

  #take(request: ActionRequest): number {
    this.actions.push(request)
    const status = this.answer(request)
    if (status === 202) setImmediate(() => this.onAction(request))
    return status
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (!server) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

// --- reading the ledger ------------------------------------------------------------------------------------------

/** Status of each task by its key, and of the run. */
export async function states(
  { db }: Pick<Deps, 'db'>,
  runId: string,
): Promise<{ run: string; tasks: Record<string, string> }> {
  const [run] = await db.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [runId])
  const tasks = await db.query<{ key: string; status: string }>(
    'SELECT key, status FROM task WHERE run_id = $1 ORDER BY position',
    [runId],
  )
  return { run: run?.status ?? 'none', tasks: Object.fromEntries(tasks.map((t) => [t.key, t.status])) }
}

/** What the events say the statuses are: the last one told of each thing. */
export async function replayed({ db }: Pick<Deps, 'db'>): Promise<Record<string, string>> {
  const events = await db.query<{ type: string; data: { status?: string; to?: string }; id: string | null }>(
    `SELECT type, data, CASE split_part(type, '.', 1) WHEN 'run' THEN run_id WHEN 'task' THEN task_id WHEN 'attempt' THEN attempt_id WHEN 'approval' THEN approval_id WHEN 'recovery' THEN (data->>'recovery_id')::uuid END AS id
     FROM event ORDER BY seq`,
  )
  const last: Record<string, string> = {}
  for (const { type, data, id } of events) {
    const status = data.to ?? data.status
    if (id && status) last[`${type.split('.')[0]} ${id}`] = status
  }
  return last
}

export async function actual({ db }: Pick<Deps, 'db'>): Promise<Record<string, string>> {
  const rows = await db.query<{ name: string; status: string }>(
    `SELECT 'run ' || id AS name, status FROM run UNION ALL SELECT 'task ' || id, status FROM task
     UNION ALL SELECT 'recovery ' || id, status FROM recovery UNION ALL SELECT 'attempt ' || id, status FROM attempt UNION ALL SELECT 'approval ' || id, status FROM approval`,
  )
  return Object.fromEntries(rows.map((row) => [row.name, row.status]))
}
