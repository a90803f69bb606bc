import { randomUUID } from 'node:crypto'
import { failureMemories } from '../../../core/memory/failureMemories.ts'
import type { PastFailure, PastRun, PastStep } from '../../../core/memory/pastRun.ts'
import type { NewMemory } from '../../../core/memory/storeMemory.ts'
import { taskMemory } from '../../../core/memory/taskMemory.ts'
import { Random } from '../random.ts'
import { type Told, topics } from './topics.ts'

/** A question, and the memories (by their place in the corpus) that answer it. */
export type Query = { ask: string; answers: readonly number[] }
export type Corpus = { memories: NewMemory[]; queries: Query[] }

const DAY = 86_400_000
const AGENT = '11111111-1111-4111-8111-111111111111'

/** A run that has ended, as the product remembers it: its outcome, and what failed. */
function remembered([cwd, request, commands, said]: Told, at: Date): NewMemory[] {
  const steps = commands.map((text): PastStep => {
    const failed = text.startsWith('!')
    return {
      id: randomUUID(),
      status: failed ? 'failed' : 'succeeded',
      spec: specOf(failed ? text.slice(1) : text, cwd),
      agentId: AGENT,
      cwd,
      exitCode: failed ? 1 : 0,
      said: failed ? (said ?? null) : null,
      endedAt: at,
    }
  })
  const failed = steps.filter(({ status }) => status === 'failed')
  const run: PastRun = {
    ...{ id: randomUUID(), number: 1, kind: 'request', request, personId: null, chatId: null, error: null },
    ...{
      status: failed.length > 0 ? 'failed' : 'succeeded',
      agentId: AGENT,
      cwd,
      source: null,
      changedByOthers: false,
      forwarded: false,
      machine: 'laptop',
    },
  }
  const task = taskMemory(run, steps, at)
  const failures = failureMemories(
    run,
    failed.map((step): PastFailure => ({ ...step, attemptId: randomUUID(), late: false, at })),
  )
  return [...(task ? [task] : []), ...failures]
}

const specOf = (command: string, cwd: string): PastStep['spec'] => ({
  ...{ action: 'shell', params: { command }, agent_id: AGENT, machine_id: 'm', cwd },
  ...{ required_files: [], timeout_s: 60, network: false },
})

const parts = [
  'auth',
  'cart',
  'search',
  'profile',
  'billing',
  'mailer',
  'import',
  'export',
  'admin',
  'worker',
  'cache',
  'session',
]
const places = [
  '/work/api',
  '/work/shop',
  '/work/app',
  '/work/crm',
  '/work/billing',
  '/work/proxy',
  '/work/infra',
  '/srv/stack',
]
const everyday: readonly (readonly [string, readonly string[], string?])[] = [
  ['run the tests of PART', ['npm test -- PART']],
  ['test PART', ['!npm test -- PART'], 'expected true to be false in PART.test.ts'],
  ['build PART', ['npm run build -- PART']],
  ['lint PART', ['!npx eslint src/PART'], "error 'x' is never used in src/PART/index.ts"],
  ['show the log of PART', ['tail -n 50 logs/PART.log']],
  ['restart PART', ['systemctl restart PART']],
  ['commit the changes of PART', ['git add src/PART', 'git commit -m "PART: tidy"']],
  ['what changed in PART', ['git diff src/PART']],
  ['format PART', ['npx prettier --write src/PART']],
  ['read the settings of PART', ['cat config/PART.json']],
  ['install what PART needs', ['npm install']],
  ['find where PART is used', ['grep -rn PART src']],
]

/** Other work that there was: the same commands again and again, for other parts and places. */
function otherWork(count: number, random: Random): Told[] {
  return Array.from({ length: count }, (): Told => {
    const [request, commands, said] = random.pick(everyday)
    const part = random.pick(parts)
    const of = (text: string) => text.replaceAll('PART', part)
    return [
      random.pick(places),
      of(request),
      commands.map(of),
      ...(said ? [of(said)] : []),
    ] as unknown as Told
  })
}

/**
 * At least `least` memories with questions of known answers among them, always the same. How old they are and how often
 * each was so says nothing about whether it answers anything.
 */
export function makeCorpus(least = 500): Corpus {
  const random = new Random(5)
  const at = () => new Date(Date.UTC(2026, 10, 20) - random.int(60) * DAY)
  const memories: NewMemory[] = []
  const queries = topics.map(({ ask, answers }): Query => {
    const own = answers.flatMap((told) => remembered(told, at()))
    const first = memories.length
    memories.push(...own)
    return { ask, answers: own.map((_, n) => first + n) }
  })
  for (const told of otherWork(least * 3, random)) {
    if (memories.length >= least) break
    memories.push(...remembered(told, at()).map((one) => ({ ...one, like: [...one.like, memories.length] })))
  }
  return { memories, queries }
}
