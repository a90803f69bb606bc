/** `npm run bench`: the figures of the main job, each printed with its aim or with its peer of the same run. */
import { latencies } from './latency.ts'
import { startSystem } from './system.ts'

const system = await startSystem(28_766)
try {
  console.log('Latency on loopback, one chat, rate limits of Telegram off')
  for (const line of await latencies(system)) console.log(`  ${line}`)
} finally {
  await system.stop()
}
process.exit(0)
