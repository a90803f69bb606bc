import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { Line } from '../../tests/support/privateServers.ts'
import type { FrameSide } from '../peers.ts'

/** From server to client, the way that its recovery covers: what was sent during a short absence is sent again. */
export async function openSocketIo(): Promise<FrameSide> {
  const http = createServer()
  const server = new Server(http, { connectionStateRecovery: {}, transports: ['websocket'] })
  server.use((socket, next) => next(socket.handshake.auth.token === 'secret' ? undefined : new Error('no')))
  http.listen(0, '127.0.0.1')
  await new Promise((resolve) => http.once('listening', resolve))
  const line = new Line(() => ({ host: '127.0.0.1', port: (http.address() as AddressInfo).port }))
  await line.mend()
  const client = io(`http://127.0.0.1:${line.port}`, {
    transports: ['websocket'],
    auth: { token: 'secret' },
    reconnectionDelay: 50,
    reconnectionDelayMax: 100,
  })
  let received: string[] = []
  let told: () => void = () => {}
  client.on('frame', (text: string) => {
    received.push(text)
    told()
  })
  await new Promise<void>((resolve) => client.on('connect', () => resolve()))
  return {
    line,
    send: async (texts) => {
      received = []
      for (const text of texts) server.emit('frame', text)
      const until = Date.now() + 10_000
      while (received.length < texts.length && Date.now() < until)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 500)
          told = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      if (received.length < texts.length)
        throw new Error(`${texts.length - received.length} frames were lost`)
      return received
    },
    close: async () => {
      client.close()
      await server.close()
      await line.cut()
    },
  }
}
