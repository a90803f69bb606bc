import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AttemptDeps } from '../../../agent/attemptDeps.ts'
import { Attempts } from '../../../agent/attempts.ts'
import { Journal, JournalError } from '../../../agent/journal/journal.ts'

const agentId = randomUUID()
let dir: string
let journal: Journal
let isFull: boolean
let said: string[]
beforeEach(() => {
  vi.useFakeTimers()
  dir = mkdtempSync(join(tmpdir(), 'skynet-full-'))
  journal = new Journal(dir)
  said = []
  const begin = journal.begin.bind(journal)
  journal.begin = (...args) => {
    if (isFull) throw new JournalError('the journal cannot be written: ENOSPC')
    return begin(...args)
  }
})
afterEach(() => {
  vi.useRealTimers()
  journal.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Attempts of an agent that nobody's grants count at: whatever it is sent is refused. */
function attempts(): Attempts {
  const ignore = (): void => {}
  const deps = {
    agentId,
    machineId: 'm',
    journal,
    controlKeys: { follow: () => [] },
    delivery: {
      wake: ({ id, state }: { id: string; state: string }) => said.push(`${id} ${state}`),
      again: ({ id, state }: { id: string; state: string }) => said.push(`${id} ${state}`),
      sendLoose: (text: string) => said.push(text),
    },
    log: { warn: ignore, error: ignore, info: ignore },
  }
  return new Attempts(deps as unknown as AttemptDeps)
}

const sent = (execution_id: string) => ({
  type: 'dispatch' as const,
  execution_id,
  spec: {
    action: 'noop',
    params: {},
    agent_id: agentId,
    machine_id: 'm',
    cwd: '/',
    required_files: [],
    timeout_s: 60,
    network: false,
    run_id: randomUUID(),
    task_id: randomUUID(),
    claim_token: 'a-claim-token-of-this-task',
  },
  grant: {},
})

test('what a full disk does not take is not said; it is refused once the disk takes that, and stays so', async () => {
  const [own, id, cancelled] = [attempts(), randomUUID(), randomUUID()]
  isFull = true
  await own.dispatch(sent(id) as never)
  own.cancel(cancelled)
  await vi.advanceTimersByTimeAsync(3000)
  expect([said, [...journal.attempts.keys()]]).toEqual([[], []])
  isFull = false
  await vi.advanceTimersByTimeAsync(1000)
  vi.useRealTimers()
  await expect.poll(() => said.length).toBe(2)
  expect(said.map((line) => line.split(' ')[0]).sort()).toEqual([id, cancelled].sort())
  // Another process of the agent finds it in the journal.
  said = []
  await attempts().dispatch(sent(id) as never)
  expect(said).toHaveLength(1)
  expect(journal.attempts.get(id)?.state).not.toBe('begun')
})
