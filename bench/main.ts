/** `npm run bench [latency|throughput|claims|memory]`: the figures of the main job, each with its aim or its peer of the same run. */
import { claims } from './claims.ts'
import { latencies } from './latency.ts'
import { memory } from './memory.ts'
import { startSystem } from './system.ts'
import { throughput } from './throughput.ts'

const only = process.argv[2]
const wanted = (name: string): boolean => only === undefined || only === name
const show = (title: string, lines: string[]): void =>
  console.log([`\n${title}`, ...lines.map((line) => `  ${line}`)].join('\n'))

if (wanted('latency') || wanted('throughput')) {
  const system = await startSystem(28_766)
  try {
    if (wanted('latency'))
      show('Latency on loopback, one chat, rate limits of Telegram off', await latencies(system))
    if (wanted('throughput'))
      show('Throughput, 200 tasks a round, five rounds, interleaved with the peer', await throughput(system))
  } finally {
    await system.stop()
  }
}
if (wanted('claims')) show('One claim of 16 tasks, at queues of three lengths', await claims())
if (wanted('memory'))
  show('Memory (proportional set size), started as `npm start` does, database aside', await memory())
process.exit(0)
