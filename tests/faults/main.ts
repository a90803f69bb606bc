import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { kinds } from './lanes.ts'
import { isBroken, report } from './report.ts'
import { rows } from './rows/rows.ts'
import { runFaults } from './runFaults.ts'

/*
 * npm run faults -- --minutes 10 --seed 7 --backend redis
 * npm run faults -- --only stop,clock --count 50 --lanes 3
 * npm run faults -- --only points --at recovery,memory,model --requests 80
 * npm run faults -- updates --count 100
 *
 * SKYNET under load and faults (docs/faults.md). Ends with 1 when anything was lost, done twice or got stuck.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    backend: { type: 'string', default: 'postgres' },
    only: { type: 'string', default: '' },
    at: { type: 'string', default: '' },
    count: { type: 'string' },
    lanes: { type: 'string', default: '1' },
    requests: { type: 'string', default: '25' },
    quiet: { type: 'boolean', default: false },
  },
})

/** How long a run that goes by a count takes at most. */
const COUNTING_MINUTES = 60

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

/** A row of the table that is run by itself. */
async function runRow(name: string, count: number | undefined, seed: number): Promise<void> {
  const row = rows[name]
  if (!row) throw new Error(`there is no row ${name}; there are ${Object.keys(rows).join(', ')}`)
  console.log(`faults: ${name}, seed ${seed}`)
  for (const line of await row({ ...(count ? { count } : {}), seed, tell: teller() })) console.log(line)
  process.exit()
}

/** Says what happens, and when. */
function teller(): (line: string) => void {
  const began = performance.now()
  return (line) => {
    if (!values.quiet)
      console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`)
  }
}

async function main(): Promise<void> {
  if (await inNamespace()) return
  const seed = values.seed ? Number(values.seed) : Date.now() % 1_000_000
  const [name] = positionals
  if (name) return runRow(name, values.count ? Number(values.count) : undefined, seed)
  const backend = values.backend === 'redis' ? 'redis' : 'postgres'
  const only = values.only.split(',').filter(Boolean)
  const at = values.at.split(',').filter(Boolean)
  const count = values.count ? Number(values.count) : Number.POSITIVE_INFINITY
  const minutes = Number(values.minutes ?? (values.count ? COUNTING_MINUTES : 2))
  const seconds = values.seconds ? Number(values.seconds) : minutes * 60
  const lanes = Number(values.lanes)
  const requests = Number(values.requests)
  if (!(seconds > 0 && count > 0 && lanes > 0 && requests >= 0) || !Number.isInteger(seed))
    throw new Error('--minutes, --seed, --count, --lanes and --requests take numbers')
  const unknown = only.filter((kind) => !kinds.includes(kind))
  if (unknown.length > 0) throw new Error(`--only ${unknown}: there are ${kinds.join(', ')}`)
  const what = only.length > 0 ? `${only.join(', ')}, ` : ''
  console.log(`faults: ${what}at most ${seconds} s, seed ${seed}, queue on ${backend}`)
  const outcome = await runFaults({
    seconds,
    seed,
    backend,
    only,
    at,
    count,
    lanes,
    requests,
    tell: teller(),
  })
  for (const line of report(outcome)) console.log(line)
  process.exit(isBroken(outcome) ? 1 : 0)
}

await main()
