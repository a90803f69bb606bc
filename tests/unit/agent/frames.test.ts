import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { startAgent } from '../../../agent/main.ts'
import { parseAgentConfig } from '../../../core/config/agent.ts'
import type { Logger } from '../../../core/config/logger.ts'
import { Pair } from './startPair.ts'

const pair = new Pair()
beforeAll(() => pair.start())
afterAll(() => pair.stop())

/** Bytes of a frame with a few of them changed, cut out or doubled. */
const mutated = (frame: unknown) =>
  fc
    .array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'double')), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) => {
      let bytes = Buffer.from(JSON.stringify(frame))
      for (const [place, value, how] of changes) {
        const at = place % Math.max(1, bytes.length)
        if (how === 'set') bytes[at] = value
        else if (how === 'cut')
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 20))])
        else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - (value % 20)))])
      }
      return bytes
    })

const strange = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

test('the gateway outlives whatever an agent says first', async () => {
  const hello = { ...pair.control.hellos[0], type: 'hello', agent_id: pair.control.agentId }
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated(hello), strange), async (bytes) => {
      const socket = new WebSocket(`${pair.gatewayUrl.replace('http', 'ws')}/agent`)
      await once(socket, 'open')
      socket.send(bytes)
      socket.send('{"type":"log"}')
      await once(socket, 'close')
    }),
    { numRuns: 60 },
  )
  expect((await pair.call('GET', '/health')).status).toBe(200)
  await pair.connected()
})

test('the agent outlives whatever a gateway says, and starts nothing that was not granted', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { ...pair.env, SKYNET_GATEWAY_URL: url, SKYNET_AGENT_NAME: 'fuzzed' }
  const ran = `${pair.workspace}/must-not-be-there`
  const spec = { action: 'shell' as const, params: { command: `touch ${ran}` }, cwd: pair.workspace }
  const { execution_id, spec: full } = pair.control.attempt(spec)
  const forged = { type: 'dispatch', execution_id, spec: full, grant: pair.control.attempt(spec).grant }
  let heard = 0
  const frames = fc.sample(fc.oneof(mutated(forged), strange), 150)
  server.on('connection', (socket) => {
    socket.on('message', () => heard++)
    socket.send(JSON.stringify({ type: 'welcome', agent_id: pair.control.agentId }))
    for (const frame of frames.splice(0, 15)) socket.send(frame)
    socket.send(JSON.stringify({ ...forged, execution_id: randomUUID() }))
  })
  const agent = await startAgent({ config: parseAgentConfig(env), log: quietLog })
  await pair.control.until(() => heard > 1, 5000)
  server.clients.forEach((socket) => {
    socket.terminate()
  })
  await pair.control.until(() => frames.length === 0 || heard > 20, 5000).catch(() => {})
  await agent.stop(0)
  server.close()
  expect(existsSync(ran)).toBe(false)
}, 20_000)

const none = {} as never
const quietLog: Logger = { error: () => none, warn: () => none, info: () => none, debug: () => none }
