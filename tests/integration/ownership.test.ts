import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AgentFacts } from '../../core/protocol/frames.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  addMachine,
  approve,
  exited,
  factsOf,
  finish,
  refusedFrame,
  report,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
afterEach(() => control.deps.db.query('UPDATE agent SET connected = false'))

const tell = (machine: TestMachine, facts: Partial<AgentFacts>) =>
  control.deps.db.query('UPDATE agent SET facts = $2 WHERE id = $1', [
    machine.agentId,
    JSON.stringify({ ...factsOf(machine), ...facts }),
  ])
async function machineWith(facts: Partial<AgentFacts>): Promise<TestMachine> {
  const machine = await addMachine(control.deps)
  await tell(machine, facts)
  return machine
}
const claim = async (): Promise<Claim[]> => (await claimTasks(control.deps, 50)).claims

/** One run with a task for each of the names, approved. */
async function writers(machine: TestMachine, files: string[]): Promise<string> {
  const run = await startRun(
    control.deps,
    machine,
    files.map((file, i) => ({ key: `k${i}`, command: `touch x${i}`, files: [file] })),
  )
  await approve(control.deps, run.id)
  return run.id
}
const end = async (runId: string, claims: Claim[]) => {
  for (const held of claims) await finish(control.deps, held)
  await control.deps.db.tx((tx) => cancelRun(control.deps, tx, runId, null))
}

const links = [
  { path: '/work/current', to: '/work/releases/7' },
  { path: '/work/settings.txt', to: '/work/releases/7/conf/settings.txt' },
]
const names: [string, Partial<AgentFacts>, string, string][] = [
  ['a detour', {}, '/work/a/../b.txt', '/work/b.txt'],
  ['a last slash', {}, '/work/dir/', '/work/dir'],
  ['a link to a directory', { links }, '/work/current/a.txt', '/work/releases/7/a.txt'],
  ['a link to a file', { links }, '/work/settings.txt', '/work/current/conf/settings.txt'],
  ['a link to a directory around it', { links }, '/work/current', '/work/releases/7/conf/b.txt'],
  ['another case on darwin', { platform: 'darwin-arm64' }, '/work/README.md', '/Work/readme.MD'],
  [
    'another case on win32',
    { platform: 'win32-x64', roots: ['C:\\work'] },
    'C:\\Work\\a.txt',
    'c:/work/A.TXT',
  ],
]

describe('two tasks that name one file never run together', () => {
  test.each(names)('by %s', async (_why, facts, one, other) => {
    const machine = await machineWith(facts)
    const run = await writers(machine, [one, other])
    const first = await claim()
    expect(first).toHaveLength(1)
    expect(await claim()).toEqual([])
    for (const held of first) await finish(control.deps, held)
    const second = await claim()
    expect(second).toHaveLength(1)
    await end(run, second)
  })

  test('but two files that differ in case do on linux', async () => {
    const machine = await machineWith({ links })
    const run = await writers(machine, ['/work/README.md', '/work/readme.md'])
    const claims = await claim()
    expect(claims).toHaveLength(2)
    await end(run, claims)
  })

  test('whatever they are called', async () => {
    const part = fc.constantFrom('current', 'releases', '7', 'CONF', 'conf', '..', '.', 'a', 'A')
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `/work/${parts.join('/')}`)
    const real = (path: string) => {
      const plain = new URL(`file://${path}`).pathname.replace(/(?<=.)\/+$/, '')
      const folded = plain.toLowerCase()
      return folded.replace(/^\/work\/current(?=\/|$)/, '/work/releases/7')
    }
    const within = (a: string, b: string) => a === b || a.startsWith(b === '/' ? b : `${b}/`)
    const machine = await machineWith({ platform: 'darwin-x64', links: links.slice(0, 1) })
    await fc.assert(
      fc.asyncProperty(name, name, async (a, b) => {
        const run = await writers(machine, [a, b])
        const claims = await claim()
        const touch = within(real(a), real(b)) || within(real(b), real(a))
        expect(claims).toHaveLength(touch ? 1 : 2)
        await end(run, claims)
      }),
      { numRuns: 40 },
    )
  })
})

describe('links that the ledger learns of', () => {
  test('count from the next claim on, also for tasks that were planned before', async () => {
    const machine = await machineWith({ links: [] })
    const run = await writers(machine, ['/work/new/a.txt', '/work/old/a.txt'])
    await tell(machine, { links: [{ path: '/work/new', to: '/work/old' }] })
    const claims = await claim()
    expect(claims).toHaveLength(1)
    expect(claims[0]?.spec.owns).toEqual(['/work/old/a.txt'])
    await end(run, claims)
  })

  test('are sent along for the agent to check; what it refuses is asked for again under the real name', async () => {
    const machine = await machineWith({ links: [] })
    const run = await writers(machine, ['/work/far/link/a.txt'])
    const [first] = await claim()
    if (!first) throw new Error('nothing was claimed')
    expect(first.spec.owns).toEqual(['/work/far/link/a.txt'])
    await report(control.deps, first, refusedFrame('file_alias'), exited())
    expect((await states(control.deps, run)).tasks.k0).toBe('queued')
    await tell(machine, { links: [{ path: '/work/far/link', to: '/work/real' }] })
    await control.deps.db.query('UPDATE task SET not_before = NULL WHERE run_id = $1', [run])
    const again = await claim()
    expect(again[0]?.spec.owns).toEqual(['/work/real/a.txt'])
    await end(run, again)
  })

  test('an agent of before is not sent what it does not know', async () => {
    const machine = await machineWith({})
    const run = await writers(machine, ['/work/a.txt'])
    const claims = await claim()
    expect(claims[0]?.spec).not.toHaveProperty('owns')
    await end(run, claims)
  })
})
