import { atLeast, type Contestant, compare, exactly, lines, scaled } from '../compare.ts'
import { type FrameSide, peer } from '../peers.ts'
import type { Stand } from '../stand.ts'
import { pause } from '../system.ts'
import { product, rawEcho, wsWithHmac } from './frameSides.ts'

const FRAMES = scaled(10_000)
const DROPS = scaled(100)
const DROP_EVERY_MS = 60
/** Frames sent between two drops, in the part that drops connections. */
const PER_DROP = 50

const text = (n: number): string => `${n} ${'the quick brown fox jumps over the lazy dog '.repeat(4)}`

/** Throws unless every text arrived, once and in its place. */
function checkAll(name: string, sent: readonly string[], got: readonly string[]): void {
  exactly(`${name}: frames`, got.length, sent.length)
  const wrong = sent.findIndex((one, n) => one !== got[n])
  if (wrong >= 0) throw new Error(`${name}: frame ${wrong} is another one: ${got[wrong]?.slice(0, 40)}`)
}

const contestant = (name: string, side: FrameSide): Contestant => ({
  name,
  round: async () => {
    const texts = Array.from({ length: FRAMES }, (_, n) => text(n))
    const began = performance.now()
    const got = await side.send(texts)
    const rate = FRAMES / ((performance.now() - began) / 1000)
    checkAll(name, texts, got)
    return rate
  },
})

/** Cuts the connection again and again while frames flow, and says what became of them. */
async function underDrops(name: string, side: FrameSide): Promise<string> {
  const texts = Array.from({ length: DROPS * PER_DROP }, (_, n) => text(n))
  const began = performance.now()
  let cuts = 0
  const cutting = (async () => {
    for (; cuts < DROPS; cuts++) {
      await pause(DROP_EVERY_MS)
      await side.line.cut()
      await side.line.mend()
    }
  })()
  const got: string[] = []
  while (got.length < texts.length) {
    got.push(...(await side.send(texts.slice(got.length, got.length + PER_DROP))))
    await pause(DROP_EVERY_MS / 2)
  }
  await cutting
  checkAll(name, texts, got)
  const seconds = (performance.now() - began) / 1000
  return `${name}: ${cuts} drops, ${got.length} of ${texts.length} frames delivered once and in order, ${seconds.toFixed(1)} s`
}

/** Row 6: frames from an agent to its gateway and acknowledged. */
export async function framesRow(stand: Stand): Promise<string[]> {
  const openSocketIo = await peer<() => Promise<FrameSide>>('socketIo', 'openSocketIo')
  const sides: [string, FrameSide][] = [
    ['SKYNET', await product()],
    ['ws, JSON, HMAC', await wsWithHmac()],
    ['socket.io with recovery', await openSocketIo()],
    ['raw TCP echo (limit)', await rawEcho()],
  ]
  for (const [, side] of sides) stand.atEnd(() => side.close())
  const figures = await compare(sides.map(([name, side]) => contestant(name, side)))
  const dropped: string[] = []
  for (const [name, side] of sides.slice(0, 3))
    dropped.push(await underDrops(name, side).catch((error: Error) => `${error.message}: NOT all delivered`))
  return [...lines(figures, ' frames/s'), ...dropped, atLeast(figures, 'SKYNET', 'ws, JSON, HMAC', 0.8)]
}
