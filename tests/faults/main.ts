import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { isBroken, report } from './report.ts'
import { runFaults } from './runFaults.ts'

/*
 * npm run faults -- --minutes 10 --seed 7 --backend redis
 *
 * SKYNET under load and faults (docs/faults.md). Ends with 1 when anything was lost, done twice or got stuck.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    backend: { type: 'string', default: 'postgres' },
    quiet: { type: 'boolean', default: false },
  },
})

/** Mounts of this run are to be seen by nobody else and gone with it: it goes into a mount namespace of its own. */
async function inNamespace(): Promise<boolean> {
  if (process.getuid?.() !== 0 || process.env.FAULTS_NAMESPACE) return false
  const child = spawn('unshare', ['--mount', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, FAULTS_NAMESPACE: '1' },
  })
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name))
  process.exitCode = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
  return true
}

async function main(): Promise<void> {
  if (await inNamespace()) return
  const seconds = values.seconds ? Number(values.seconds) : Number(values.minutes ?? 2) * 60
  const seed = values.seed ? Number(values.seed) : Date.now() % 1_000_000
  const backend = values.backend === 'redis' ? 'redis' : 'postgres'
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--minutes and --seed take numbers')
  console.log(`faults for ${seconds} s, seed ${seed}, queue on ${backend}`)
  const began = performance.now()
  const tell = (line: string): void => {
    if (!values.quiet)
      console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`)
  }
  const outcome = await runFaults({ seconds, seed, backend, tell })
  for (const line of report(outcome)) console.log(line)
  process.exit(isBroken(outcome) ? 1 : 0)
}

await main()
