/** `npm run bench -- NAME ...` (or `all`): figures of the product, each with its aim or its peers of the same run. */
import { claims } from './claims.ts'
import { loadNow } from './compare.ts'
import { latencies } from './latency.ts'
import { memory } from './memory.ts'
import { dispatchRow } from './rows/dispatchLatency.ts'
import { drainRow } from './rows/drain.ts'
import { fetchesRow } from './rows/fetches.ts'
import { framesRow } from './rows/frames.ts'
import { ingressRow } from './rows/ingress.ts'
import { lifecycleRow } from './rows/lifecycle.ts'
import { liveLogsRow } from './rows/liveLogs.ts'
import { modelRouterRow } from './rows/modelRouter.ts'
import { policyRow } from './rows/policy.ts'
import { recallRow } from './rows/recall.ts'
import { redactionRow } from './rows/redaction.ts'
import { retrievalRow } from './rows/retrieval.ts'
import { sandboxRow } from './rows/sandbox.ts'
import { transitionRow } from './rows/transition.ts'
import { vectorsRow } from './rows/vectors.ts'
import { workersRow } from './rows/workers.ts'
import { openStand, type Stand } from './stand.ts'
import { type BenchSystem, startSystem } from './system.ts'
import { throughput } from './throughput.ts'

type Benchmark = { title: string; run(): Promise<string[]> }

async function onSystem(
  measure: (system: BenchSystem) => Promise<string[]>,
  options = { limits: false },
): Promise<string[]> {
  const system = await startSystem(28_766, options)
  return measure(system).finally(() => system.stop())
}

async function onStand(measure: (stand: Stand) => Promise<string[]>): Promise<string[]> {
  const stand = await openStand()
  return measure(stand).finally(() => stand.close())
}

const benchmarks: Record<string, Benchmark> = {
  latency: {
    title: 'Latency on loopback, one chat, rate limits of Telegram off',
    run: () => onSystem(latencies),
  },
  throughput: {
    title: 'Throughput, 200 tasks a round, five rounds, interleaved with the peer',
    run: () => onSystem(throughput),
  },
  claims: {
    title: 'One claim of 16 tasks, at queues of three lengths',
    run: claims,
  },
  memory: {
    title: 'Memory (proportional set size), started as `npm start` does, database aside',
    run: memory,
  },
  recall: {
    title: 'How well memories are found: questions with known answers',
    run: recallRow,
  },
  vectors: {
    title: 'The ten nearest of many vectors',
    run: vectorsRow,
  },
  retrieval: {
    title: 'Search in the memory, at three sizes',
    run: () => onStand(retrievalRow),
  },
  lifecycle: {
    title: 'Life of a task: create, claim, running, done, each committed with its events',
    run: () => onStand(lifecycleRow),
  },
  drain: {
    title: 'Working off 25,000 no-op tasks',
    run: () => onStand(drainRow),
  },
  dispatch: {
    title: 'From the commit of a task to its beginning at the agent, 40 a second',
    run: () => onSystem(dispatchRow),
  },
  fetches: {
    title: 'One task fetched by an outside agent, at queues of three lengths',
    run: () => onStand(fetchesRow),
  },
  ingress: {
    title: 'Updates of Telegram by webhook, each stored once',
    run: () => onStand(ingressRow),
  },
  liveLogs: {
    title: 'What a command prints, in a chat whose Telegram keeps its limits',
    run: () => onSystem(liveLogsRow, { limits: true }),
  },
  workers: {
    title: 'Tasks handed out by worker processes, on Redis',
    run: () => onStand(workersRow),
  },
  sandbox: {
    title: 'A confined process, from the call to its end',
    run: sandboxRow,
  },
  frames: {
    title: 'Frames from agent to gateway: numbered, authenticated, acknowledged, resumable',
    run: () => onStand(framesRow),
  },
  redaction: {
    title: 'Secrets taken out of 4 MB of log, cut into chunks anywhere',
    run: redactionRow,
  },
  policy: {
    title: 'Judging a command, one after the other',
    run: policyRow,
  },
  router: {
    title: 'One question to a language model on loopback: a plan, streamed, with and without the router',
    run: () => onStand(modelRouterRow),
  },
  transition: {
    title: 'One transition: compare-and-set and event, 20 at a time',
    run: () => onStand(transitionRow),
  },
}

const asked = process.argv.slice(2)
const wanted = asked.length === 0 || asked.includes('all') ? Object.keys(benchmarks) : asked
for (const name of wanted) {
  const benchmark = benchmarks[name]
  if (!benchmark) {
    console.error(`There is no benchmark "${name}". Those there are: ${Object.keys(benchmarks).join(', ')}.`)
    process.exit(1)
  }
  const before = loadNow()
  const figures = await benchmark.run()
  console.log(`\n${name}: ${benchmark.title} (load ${before} before)`)
  for (const line of figures) console.log(`  ${line}`)
}
process.exit(0)
