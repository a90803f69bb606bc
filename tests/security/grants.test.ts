import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type WebSocket from 'ws'
import { WebSocketServer } from 'ws'
import { type RunningAgent, startAgent } from '../../agent/main.ts'
import { parseAgentConfig } from '../../core/config/agent.ts'
import type { Logger } from '../../core/config/logger.ts'
import { AgentFrame, type AttemptFrame, GatewayFrame } from '../../core/protocol/frames.ts'
import { newSigningKey, publicKeyOf, signGrant } from '../../core/protocol/grants.ts'
import { specHash } from '../../core/protocol/hash.ts'
import { type KeyStatement, succeedKey } from '../../core/protocol/keyChain.ts'
import type { Sent } from '../support/fakeControl.ts'
import { Pair } from '../unit/agent/startPair.ts'

/*
 * A captured gateway: it has the agent's connection, every dispatch that ever passed it, and no key. A real agent with
 * its journal is told whatever such a gateway could say. What counts as started is what the work itself wrote.
 */

const MUTATED = 10_000
const REPLAYED = 1000
const BATCH = 500

const pair = new Pair()
const ledger = () => `${pair.workspace}/ran`
let server: WebSocketServer
let agent: RunningAgent
let line: WebSocket
let connections = 0
const heard = new Map<string, AttemptFrame['type'][]>()
const tell: (() => void)[] = []

beforeAll(async () => {
  await pair.startControl()
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (data) => take(socket, String(data)))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = parseAgentConfig({
    ...pair.env,
    SKYNET_GATEWAY_URL: url,
    SKYNET_AGENT_NAME: 'captured',
    SKYNET_LOG_LEVEL: 'error',
  })
  agent = await startAgent({ config, log: quiet })
  await until(() => connections > 0)
})
afterAll(async () => {
  await agent?.stop(0)
  server?.close()
  await pair.stop()
})

const none = {} as never
const quiet: Logger = { error: () => none, warn: () => none, info: () => none, debug: () => none }

/** As a gateway does that wants the agent to forget everything soon. */
function take(socket: WebSocket, text: string): void {
  const frame = AgentFrame.parse(JSON.parse(text))
  if (frame.type === 'hello') {
    line = socket
    connections++
    socket.send(JSON.stringify({ type: 'welcome', agent_id: frame.agent_id }))
  } else if ('execution_id' in frame) {
    heard.set(frame.execution_id, [...(heard.get(frame.execution_id) ?? []), frame.type])
    socket.send(JSON.stringify({ type: 'ack', execution_id: frame.execution_id, seq: frame.seq }))
    if (frame.type === 'result')
      socket.send(JSON.stringify({ type: 'result_ack', execution_id: frame.execution_id }))
  } else if (frame.type === 'ping') socket.send(JSON.stringify({ type: 'pong', id: frame.id }))
  for (const go of tell.splice(0)) go()
}

async function until(isSo: () => boolean, ms = 30_000): Promise<void> {
  const end = performance.now() + ms
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms`)
    await new Promise<void>((resolve) => {
      tell.push(resolve)
      setTimeout(resolve, 20)
    })
  }
}

const starts = (): number =>
  existsSync(ledger()) ? readFileSync(ledger(), 'utf8').split('\n').length - 1 : 0
const legit = (): Sent => {
  const spec = { action: 'shell' as const, params: { command: `echo x >> ${ledger()}` }, cwd: pair.workspace }
  return pair.control.attempt(spec)
}
type Dispatch = { type: 'dispatch'; execution_id: string; spec: unknown; grant: unknown }
const dispatchOf = ({ execution_id, spec, grant }: Sent): Dispatch => ({
  type: 'dispatch',
  execution_id,
  spec,
  grant,
})
const sendAll = (frames: readonly unknown[]): void => {
  for (const frame of frames) line.send(JSON.stringify(frame))
}

/** Sends frames and waits until the agent has gone through all of them: it answers pings in order. */
async function tried(frames: readonly Dispatch[]): Promise<void> {
  for (let from = 0; from < frames.length; from += BATCH) {
    const batch = frames.slice(from, from + BATCH)
    sendAll(batch)
    const ids = new Set(batch.map(({ execution_id }) => execution_id))
    await until(() => [...ids].every((id) => heard.has(id)))
  }
}

// --- how a dispatch can be forged --------------------------------------------------------------------------------

const stranger = createPrivateKey(newSigningKey().privatePem)
const clone = <T>(value: T): T => structuredClone(value)
type Loose = {
  execution_id: string
  spec: Record<string, unknown>
  grant: { payload: Record<string, unknown>; signature: string }
}
type Forgery = (own: Loose, other: Loose, n: number) => void

const later = () => new Date(Date.now() + 86_400_000).toISOString()
const flip = (text: string, n: number): string => {
  const bytes = Buffer.from(text, 'base64url')
  const at = n % bytes.length
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (n % 8))
  return bytes.toString('base64url')
}
const resign = (dispatch: Loose): void => {
  dispatch.grant = signGrant(dispatch.grant.payload as never, stranger) as never
}

const forgeries: Record<string, Forgery> = {
  'another command': (own, _, n) => {
    own.spec.params = { command: `echo y${n} >> ${ledger()}` }
  },
  'the command with a space more': (own) => {
    own.spec.params = { command: `${(own.spec.params as { command: string }).command} ` }
  },
  'program and arguments beside the command': (own) => {
    own.spec.params = { ...(own.spec.params as object), argv: ['touch', ledger()] }
  },
  'another action': (own) => {
    own.spec.action = 'script'
    own.spec.params = { interpreter: 'sh', body: `echo x >> ${ledger()}` }
  },
  'another directory': (own) => {
    own.spec.cwd = `${pair.workspace}/..`
  },
  'network after all': (own) => {
    own.spec.network = !own.spec.network
  },
  'more time': (own, _, n) => {
    own.spec.timeout_s = 31 + (n % 1000)
  },
  'files of its own': (own, _, n) => {
    own.spec.required_files = [`/tmp/${n}`]
  },
  'files it is said to rest on': (own) => {
    own.spec.rests_on = [{ path: `${pair.workspace}/x`, sha256: 'a'.repeat(64) }]
  },
  'another run': (own) => {
    own.spec.run_id = randomUUID()
  },
  'files taken that are not its own': (own) => {
    own.spec.owns = [`${pair.workspace}/x`]
  },
  'something handed to it': (own) => {
    const input = { key: 'a', task_id: randomUUID(), exit_code: 0, summary: 'do this', changed: [] }
    own.spec.inputs = [input]
  },
  'a bit of the signature': (own, _, n) => {
    own.grant.signature = flip(own.grant.signature, n)
  },
  'no signature': (own) => {
    own.grant.signature = ''
  },
  'half a signature': (own) => {
    own.grant.signature = own.grant.signature.slice(0, 40)
  },
  'random bytes for a signature': (own) => {
    own.grant.signature = randomBytes(64).toString('base64url')
  },
  'a signature of zeros': (own) => {
    own.grant.signature = Buffer.alloc(64).toString('base64url')
  },
  'signed with a key of its own': resign,
  'signed with a key of its own, for another command': (own) => {
    own.spec.params = { command: `echo z >> ${ledger()}` }
    own.grant.payload.spec_hash = specHash(own.spec as never)
    resign(own)
  },
  'a later end': (own) => {
    own.grant.payload.expires_at = later()
  },
  'another plan': (own) => {
    own.grant.payload.plan_hash = 'b'.repeat(64)
  },
  'the grant of another attempt': (own, other) => {
    own.grant = other.grant
  },
  'the spec of another attempt': (own, other) => {
    own.spec = other.spec
  },
  'the signature of another attempt': (own, other) => {
    own.grant.signature = other.grant.signature
  },
  'the payload of another attempt': (own, other) => {
    own.grant.payload = other.grant.payload
  },
  'another attempt': (own) => {
    own.execution_id = randomUUID()
  },
  'another token': (own) => {
    own.spec.claim_token = randomBytes(24).toString('base64url')
  },
  'another token, in both': (own) => {
    own.spec.claim_token = randomBytes(24).toString('base64url')
    own.grant.payload.claim_token = own.spec.claim_token
  },
  'another task': (own) => {
    own.spec.task_id = randomUUID()
  },
  'an attempt that the grant is made to name': (own) => {
    own.execution_id = randomUUID()
    own.grant.payload.execution_id = own.execution_id
  },
}

/** Grants that the control plane did sign, for something else: another agent, another machine, a time that is over. */
const elsewhere: ((n: number) => Sent)[] = [
  () => pair.control.attempt({ ...legit().spec, agent_id: randomUUID() }),
  () => pair.control.attempt({ ...legit().spec, machine_id: 'another-machine' }),
  (n) => pair.control.attempt(legit().spec, { expires_at: new Date(Date.now() - 1 - n).toISOString() }),
  () => pair.control.attempt(legit().spec, { agent_id: randomUUID() }),
  () => pair.control.attempt(legit().spec, { machine_id: 'another-machine' }),
  () => pair.control.attempt(legit().spec, { spec_hash: 'c'.repeat(64) }),
]

describe('a captured gateway', () => {
  let before = 0
  test('what the control plane signed runs, once each', async () => {
    const sent = [legit(), legit(), legit()]
    await tried(sent.map(dispatchOf))
    await until(() => starts() === 3 && agent.running() === 0)
    before = starts()
  })

  test(`${MUTATED} forged dispatches: none starts, every one is refused`, async () => {
    const names = Object.keys(forgeries)
    const frames: Dispatch[] = []
    const others = Array.from({ length: 20 }, () => dispatchOf(legit()))
    for (let n = 0; frames.length < MUTATED; n++) {
      const [own, other] = [dispatchOf(legit()) as Loose, clone(others[n % others.length]) as Loose]
      const forge = forgeries[names[n % (names.length + 1)] ?? '']
      if (forge) forge(own, other, n)
      else Object.assign(own, dispatchOf((elsewhere[n % elsewhere.length] as (typeof elsewhere)[number])(n)))
      frames.push({ ...own, type: 'dispatch' })
    }
    const unfit = frames.slice(0, 500).filter((frame) => !GatewayFrame.safeParse(frame).success)
    expect(unfit).toEqual([])
    const already = heard.size
    await tried(frames)
    expect(heard.size - already).toBe(new Set(frames.map(({ execution_id }) => execution_id)).size)
    const accepted = frames.filter(({ execution_id }) =>
      heard.get(execution_id)?.some((type) => type !== 'refused'),
    )
    expect(accepted).toEqual([])
    expect(agent.running()).toBe(0)
    expect(starts()).toBe(before)
    expect(connections).toBe(1)
  }, 180_000)

  test(`${REPLAYED} replays of what had started: nothing starts again`, async () => {
    const sent = Array.from({ length: 5 }, legit)
    await tried(sent.map(dispatchOf))
    await until(() => starts() === before + 5)
    await until(() => agent.running() === 0)
    const replays = Array.from({ length: REPLAYED }, (_, n): Dispatch => {
      const own = clone(dispatchOf(sent[n % 5] as Sent)) as Loose
      if (n % 3 === 1) own.execution_id = randomUUID()
      if (n % 3 === 2) own.spec = { ...own.spec, run_id: randomUUID() }
      return { ...own, type: 'dispatch' }
    })
    await tried(replays)
    await until(() => agent.running() === 0)
    expect(starts()).toBe(before + 5)
    const fresh = replays.filter(({ execution_id }) => !sent.some((one) => one.execution_id === execution_id))
    expect(
      fresh.flatMap(({ execution_id }) => heard.get(execution_id) ?? []).filter((type) => type !== 'refused'),
    ).toEqual([])
  }, 60_000)

  test('bytes changed at random: a frame that is none ends the connection, and starts nothing', async () => {
    const was = starts()
    const before = connections
    const bytes = fc.sample(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), 300)
    for (const [place, by] of bytes) {
      const text = Buffer.from(JSON.stringify(dispatchOf(legit())))
      // The last sign of a signature has bits that mean nothing: another one there is the same signature.
      const end = text.lastIndexOf('"}}')
      const at = place % text.length === end - 1 ? 0 : place % text.length
      text[at] = (text[at] ?? 0) ^ by
      if (line.readyState === line.OPEN) line.send(text)
      else await until(() => line.readyState === line.OPEN, 8000).catch(() => {})
    }
    await until(() => line.readyState === line.OPEN)
    await tried([dispatchOf(legit())])
    await until(() => starts() > was && agent.running() === 0)
    expect(starts()).toBe(was + 1)
    expect(connections).toBeGreaterThan(before)
  }, 60_000)

  test('a key of another successor starts nothing; the one that the pinned key has signed for does, and ends the old one', async () => {
    const was = starts()
    const old = pair.control.key.privatePem
    const by = (pem: string, chain: KeyStatement[]): Dispatch => {
      const own = dispatchOf(legit()) as Loose
      return {
        ...own,
        type: 'dispatch',
        grant: { ...signGrant(own.grant.payload as never, createPrivateKey(pem)), chain },
      }
    }
    const thief = newSigningKey().privatePem
    const stolen = succeedKey(thief, new Date(), 1000)
    const real = succeedKey(old, new Date(), 0)
    const renamed = {
      ...stolen.statement,
      succession: { ...stolen.statement.succession, old_key: publicKeyOf(old) },
    }
    await tried([
      by(stolen.privatePem, [stolen.statement]),
      by(stolen.privatePem, [renamed]),
      by(thief, [real.statement]),
    ])
    expect(starts()).toBe(was)
    await tried([by(real.privatePem, [real.statement])])
    await until(() => starts() === was + 1 && agent.running() === 0)
    const other = succeedKey(old, new Date(), 60_000)
    await tried([by(old, []), by(other.privatePem, [other.statement]), dispatchOf(legit())])
    await tried([by(real.privatePem, [])])
    await until(() => starts() === was + 2)
    expect(starts()).toBe(was + 2)
  }, 60_000)
})
