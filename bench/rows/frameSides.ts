import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket, { WebSocketServer } from 'ws'
import { Connection } from '../../agent/connection.ts'
import { Delivery } from '../../agent/deliver.ts'
import { Journal } from '../../agent/journal/journal.ts'
import { parseGatewayConfig } from '../../core/config/gateway.ts'
import { createLogger } from '../../core/config/logger.ts'
import { startGateway } from '../../gateway/main.ts'
import { FakeControl } from '../../tests/support/fakeControl.ts'
import { factsOf } from '../../tests/support/fleet.ts'
import { Line } from '../../tests/support/privateServers.ts'
import type { FrameSide } from '../peers.ts'

/** Attempts that say something side by side, for the side that tells them apart. */
const ATTEMPTS = 50
/** What a sender holds unacknowledged at most. */
const WINDOW = 1000

/**
 * The product: frames are journalled, sent over the agent's connection to the gateway, told to an API (here one that
 * keeps them in memory), and acknowledged all the way back; what is not acknowledged goes out again.
 */
export async function product(): Promise<FrameSide> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-frames-'))
  const log = createLogger('bench', 'error')
  const control = await new FakeControl().start()
  const config = parseGatewayConfig({
    SKYNET_DATA_DIR: dir,
    SKYNET_GATEWAY_PORT: '0',
    SKYNET_GATEWAY_TOKEN: control.gatewayToken,
    SKYNET_GATEWAY_API_TOKEN: control.apiToken,
    SKYNET_API_URL: control.url,
  })
  const gateway = await startGateway({ config, log })
  const line = new Line(() => ({ host: '127.0.0.1', port: Number(new URL(gateway.url).port) }))
  await line.mend()
  const journal = new Journal(join(dir, 'journal'))
  const delivery = new Delivery(journal)
  let acked: () => void = () => {}
  const connection = new Connection({
    gatewayUrl: `http://127.0.0.1:${line.port}`,
    log,
    hello: () => ({
      type: 'hello',
      agent_id: control.agentId,
      credential: control.credential,
      session: randomUUID(),
      facts: factsOf({ name: 'bench', machineId: 'bench', root: '/work' }),
      attempts: [],
    }),
    onWelcome: (send) => delivery.connected({ send }),
    onLost: () => delivery.disconnected(),
    onRefused: () => {},
    refusedLine: '',
    inspect: () => [],
    onFrame: (frame) => {
      if (frame.type !== 'ack') return
      const attempt = journal.attempts.get(frame.execution_id)
      if (attempt) delivery.acked(attempt, frame.seq)
      acked()
    },
  })
  await control.until(() => control.hellos.length > 0)
  return {
    line,
    send: async (texts) => {
      const attempts = Array.from({ length: ATTEMPTS }, () =>
        journal.begin(randomUUID(), { token: null, hash: null }, { type: 'accepted' }),
      )
      const inFlight = () => attempts.reduce((sum, { pending }) => sum + pending.length, 0)
      for (let next = 0; next < texts.length || inFlight() > 0; ) {
        for (let room = WINDOW - inFlight(); room > 0 && next < texts.length; room--, next++) {
          const attempt = attempts[next % ATTEMPTS]
          if (!attempt) break
          journal.frames(attempt, [{ type: 'log', stream: 'stdout', text: texts[next] ?? '' }])
          delivery.wake(attempt)
        }
        await new Promise<void>((resolve) => {
          acked = resolve
        })
      }
      const got = attempts.map(({ id }) =>
        control.frames(id).flatMap((f) => (f.type === 'log' ? f.text : [])),
      )
      return texts.map((_, n) => got[n % ATTEMPTS]?.[Math.floor(n / ATTEMPTS)] ?? '')
    },
    close: async () => {
      connection.close()
      journal.close()
      await line.cut()
      await gateway.stop()
      await control.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

type Signed = { seq: number; text: string; mac: string }

/** What one would write by hand: numbered JSON frames, each with an HMAC, acknowledged and sent again after a drop. */
export async function wsWithHmac(): Promise<FrameSide> {
  const key = randomBytes(32)
  const macOf = (seq: number, text: string) => createHmac('sha256', key).update(`${seq} ${text}`).digest()
  const received: string[] = []
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const { seq, text, mac } = JSON.parse(String(data)) as Signed
      if (!timingSafeEqual(macOf(seq, text), Buffer.from(mac, 'base64'))) return socket.terminate()
      if (seq === received.length) received.push(text)
      socket.send(JSON.stringify({ ack: received.length }))
    })
  })
  const line = new Line(() => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }))
  await line.mend()
  const pending = new Map<number, string>()
  let acked: () => void = () => {}
  let socket: WebSocket | null = null
  let closed = false
  const open = (): void => {
    const mine = new WebSocket(`ws://127.0.0.1:${line.port}`, { perMessageDeflate: false })
    mine.on('error', () => {})
    mine.on('open', () => {
      socket = mine
      for (const frame of pending.values()) mine.send(frame)
    })
    mine.on('message', (data) => {
      const { ack } = JSON.parse(String(data)) as { ack: number }
      for (const seq of pending.keys()) if (seq < ack) pending.delete(seq)
      acked()
    })
    mine.on('close', () => {
      socket = null
      if (!closed) setTimeout(open, 50)
    })
  }
  open()
  let seq = 0
  return {
    line,
    send: async (texts) => {
      const from = seq
      for (let next = 0; next < texts.length || pending.size > 0; ) {
        for (; pending.size < WINDOW && next < texts.length; next++, seq++) {
          const text = texts[next] ?? ''
          const frame = JSON.stringify({ seq, text, mac: macOf(seq, text).toString('base64') })
          pending.set(seq, frame)
          socket?.send(frame)
        }
        await new Promise<void>((resolve) => {
          acked = resolve
        })
      }
      return received.slice(from)
    },
    close: async () => {
      closed = true
      socket?.terminate()
      await line.cut()
      server.close()
    },
  }
}

/** Bytes there and back, nothing else. */
export async function rawEcho(): Promise<FrameSide> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const line = new Line(() => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }))
  await line.mend()
  const socket = connect(line.port, '127.0.0.1').setNoDelay(true).setEncoding('utf8')
  return {
    line,
    send: (texts) =>
      new Promise((resolve) => {
        let got = ''
        const wanted = texts.reduce((sum, text) => sum + text.length + 1, 0)
        const take = (chunk: string): void => {
          got += chunk
          if (got.length < wanted) return
          socket.off('data', take)
          resolve(got.split('\n').slice(0, -1))
        }
        socket.on('data', take)
        for (const text of texts) socket.write(`${text}\n`)
      }),
    close: async () => {
      socket.destroy()
      await line.cut()
      server.close()
    },
  }
}
