import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AttemptFrame } from '../../core/protocol/frames.ts'
import { type Grant, type GrantPayload, newSigningKey, signGrant } from '../../core/protocol/grants.ts'
import { attemptHash, specHash } from '../../core/protocol/hash.ts'
import { EnrollRequest, RegisterGateway, RegisterWorker, ReportRequest } from '../../core/protocol/http.ts'
import type { ExecutionSpec } from '../../core/protocol/specs.ts'

/** What one attempt is sent with. */
export type Sent = {
  task_id: string
  claim_token: string
  execution_id: string
  spec: ExecutionSpec
  grant: Grant
}

/**
 * A scripted stand-in for the API's endpoints that a gateway uses. Keeps the frames of each attempt as a ledger
 * would: by seq, repeated ones change nothing. Only for tests of gateway and agent.
 */
export class FakeControl {
  readonly key = newSigningKey()
  readonly credential = randomBytes(32).toString('base64url')
  readonly gatewayToken = randomBytes(24).toString('base64url')
  readonly apiToken = randomBytes(24).toString('base64url')
  agentId: string = randomUUID()
  machineId = ''
  url = ''
  /** Every report as it came, counted. */
  reports = 0
  /** Frames that came more than once. */
  repeated = 0
  /** What a path answers instead of its work; a status code, or 0 to cut the connection. */
  readonly broken = new Map<string, number>()
  /** When such a call came, in milliseconds of `performance.now()`. */
  readonly brokenAt: number[] = []
  readonly hellos: RegisterWorker[] = []
  readonly gateways: RegisterGateway[] = []
  /** What a gateway last said of the agent, at a hello or not. */
  newest: RegisterWorker | null = null
  /** Attempts to be cancelled at the next hello. */
  cancel: string[] = []
  readonly #frames = new Map<string, Map<number, AttemptFrame>>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #changed: (() => void)[] = []

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Frames of an attempt in order of seq. */
  frames(executionId: string): AttemptFrame[] {
    return [...(this.#frames.get(executionId)?.values() ?? [])].sort((a, b) => a.seq - b.seq)
  }

  types(executionId: string): string[] {
    return this.frames(executionId).map((frame) => frame.type)
  }

  text(executionId: string): string {
    return this.frames(executionId)
      .map((frame) => (frame.type === 'log' ? frame.text : ''))
      .join('')
  }

  /** Waits for a frame of a type; rejects after `ms`. */
  async frame<T extends AttemptFrame['type']>(
    executionId: string,
    type: T,
    ms = 8000,
  ): Promise<Extract<AttemptFrame, { type: T }>> {
    const find = () => this.frames(executionId).find((frame) => frame.type === type)
    await this.until(
      () => find() !== undefined,
      ms,
      `${type} of ${executionId}, has ${this.types(executionId)}`,
    )
    return find() as Extract<AttemptFrame, { type: T }>
  }

  async until(isSo: () => boolean, ms = 8000, what = 'a condition'): Promise<void> {
    const deadline = performance.now() + ms
    while (!isSo()) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`waited ${ms} ms for ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 20))
        this.#changed.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** A spec with its signed grant, ready for `POST /action`; `change` alters the grant before it is signed. */
  attempt(
    spec: Pick<ExecutionSpec, 'action' | 'params' | 'cwd'> & Partial<ExecutionSpec>,
    change: Partial<GrantPayload> = {},
  ): Sent {
    const full: ExecutionSpec = {
      agent_id: this.agentId,
      machine_id: this.machineId,
      required_files: [],
      timeout_s: 30,
      network: true,
      run_id: randomUUID(),
      task_id: randomUUID(),
      claim_token: randomBytes(24).toString('base64url'),
      ...spec,
    }
    const execution_id = randomUUID()
    const payload: GrantPayload = {
      v: 1,
      execution_id,
      task_id: full.task_id,
      claim_token: full.claim_token,
      agent_id: full.agent_id,
      machine_id: full.machine_id,
      spec_hash: specHash(full),
      plan_hash: 'a'.repeat(64),
      attempt_hash: attemptHash(full),
      issued_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 1_800_000).toISOString(),
      ...change,
    }
    const grant = signGrant(payload, createPrivateKey(this.key.privatePem))
    return { task_id: full.task_id, claim_token: full.claim_token, execution_id, spec: full, grant }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const path = request.url ?? ''
    const broken = this.broken.get(path)
    if (broken !== undefined) this.brokenAt.push(performance.now())
    if (broken === 0) return void request.socket.destroy()
    const isAllowed = request.headers.authorization === `Bearer ${this.apiToken}`
    const [status, body] = broken
      ? [broken, {}]
      : isAllowed
        ? this.#handle(path, JSON.parse(Buffer.concat(chunks).toString()))
        : [401, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    for (const tell of this.#changed.splice(0)) tell()
  }

  #handle(path: string, body: unknown): [number, unknown] {
    if (path === '/v1/register-gateway') return this.#registerGateway(RegisterGateway.parse(body))
    if (path === '/v1/register-worker') return this.#registerWorker(RegisterWorker.parse(body))
    if (path === '/v1/report') return this.#report(ReportRequest.parse(body))
    if (path === '/v1/agents/enroll') return this.#enrol(EnrollRequest.parse(body))
    return [404, {}]
  }

  #registerGateway(body: RegisterGateway): [number, unknown] {
    this.gateways.push(body)
    return [200, { gateway_id: body.gateway_id, heartbeat_s: 5 }]
  }

  #registerWorker(body: RegisterWorker): [number, unknown] {
    if (body.credential !== this.credential || body.agent_id !== this.agentId)
      return [401, { error: { code: 'UNAUTHORIZED', message: 'no' } }]
    if (body.hello) this.hellos.push(body)
    this.newest = body
    return [200, { agent_id: body.agent_id, cancel: this.cancel.splice(0), forget: [] }]
  }

  #report(body: ReportRequest): [number, unknown] {
    this.reports++
    const touched = new Set<string>()
    for (const frame of body.frames) {
      touched.add(frame.execution_id)
      const known = this.#frames.get(frame.execution_id) ?? new Map<number, AttemptFrame>()
      this.#frames.set(frame.execution_id, known)
      if (known.has(frame.seq)) this.repeated++
      else known.set(frame.seq, frame)
    }
    return [200, { acks: [...touched].map((id) => this.#ack(id)), unknown: [] }]
  }

  #ack(execution_id: string): { execution_id: string; seq: number; result: boolean } {
    const known = this.#frames.get(execution_id) ?? new Map<number, AttemptFrame>()
    return {
      execution_id,
      seq: Math.max(...known.keys()),
      result: [...known.values()].some((frame) => frame.type === 'result'),
    }
  }

  #enrol(body: { code: string; machine_id: string }): [number, unknown] {
    if (body.code !== 'good-code')
      return [401, { error: { code: 'UNAUTHORIZED', message: 'The code is wrong or was used.' } }]
    this.machineId = body.machine_id
    return [200, { agent_id: this.agentId, credential: this.credential, control_key: this.key.publicKey }]
  }
}
