/** Sends updates to a webhook as Telegram does, some of them twice, and tells its parent how long that took. */
import { Agent, request } from 'node:http'
import type { Load } from './ingress.ts'

const { url, secret, first, count, twice, width } = JSON.parse(process.argv[2] ?? '{}') as Load
const agent = new Agent({ keepAlive: true, maxSockets: width })

const updateOf = (update_id: number): string =>
  JSON.stringify({
    update_id,
    message: {
      message_id: update_id,
      date: 1_790_000_000,
      chat: { id: 7_000_001, type: 'private', first_name: 'Bench' },
      from: { id: 7_000_001, is_bot: false, first_name: 'Bench' },
      text: `what is new today, number ${update_id}?`,
    },
  })

const post = (body: string, token: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-telegram-bot-api-secret-token': token,
    }
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', reject)
    call.end(body)
  })

const bodies: string[] = []
for (let n = 0; n < count; n++) {
  bodies.push(updateOf(first + n))
  if (n % twice === twice - 1) bodies.push(updateOf(first + n))
}
let refused = 0
for (let n = 0; n < 10; n++) {
  const status = await post(updateOf(first), `${secret}x`)
  if (status === 401 || status === 403) refused++
}
let [next, ok] = [0, 0]
const began = performance.now()
await Promise.all(
  Array.from({ length: width }, async () => {
    while (next < bodies.length) if ((await post(bodies[next++] ?? '', secret)) === 200) ok++
  }),
)
process.send?.({ seconds: (performance.now() - began) / 1000, ok, refused }, () => process.exit(0))
