import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type System, startSystem, textOf } from '../support/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem({
    gateways: 2,
    machines: [
      { name: 'laptop', repositories: ['api'] },
      { name: 'desktop', repositories: ['web'] },
    ],
  })
  await system.place({ id: 7_000_001, first_name: 'Ana' }, 'laptop', 'api')
  await system.until(async () => (await links()) === 4, 'every agent to be at both gateways')
})
afterAll(() => system?.stop())

const links = async () => (await system.db.query<{ n: number }>('SELECT count(*) AS n FROM agent_link'))[0]?.n
const status = async () => {
  const after = system.say('/agent_status')
  return textOf(await system.message(/machines ready/, { after }))
}

describe('two gateways', () => {
  test('/agent_status says how work reaches each machine, and who would be chosen first', async () => {
    const text = await status()
    expect(text).toContain('2 of 2 machines ready')
    expect(text).toMatch(/over gateway gateway(-2)? and gateway(-2)?/)
    expect(text).toMatch(/Where nobody says, first\n1 \w+ · idle\n2 \w+ · idle/)
    expect(text).not.toContain('⚠️ gateway')
  })

  test('the one that work came over ends under it: every line and the outcome arrive once, and a cancel follows', async () => {
    const go = system.path('go')
    const number = await system.ask(
      `/run for i in 1 2 3 4 5; do echo line $i; done; until [ -e ${go} ]; do sleep 0.1; done; echo the end`,
    )
    await system.taskIs(number, '1', 'running')
    await system.stopGateway(0)
    writeFileSync(go, '')
    await system.runIs(number, 'succeeded')
    const log = await system.db.query<{ text: string }>(
      'SELECT l.text FROM log_chunk l JOIN attempt a ON a.id = l.attempt_id JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id WHERE r.number = $1 ORDER BY l.seq',
      [number],
    )
    expect(log.map((row) => row.text).join('')).toBe(
      `${[1, 2, 3, 4, 5].map((i) => `line ${i}\n`).join('')}the end\n`,
    )
    const next = await system.ask('/run sleep 60')
    await system.taskIs(next, '1', 'running')
    system.say('/cancel')
    await system.runIs(next, 'cancelled')
  })

  test('while neither answers work waits and says so; it goes on once one is back', async () => {
    await system.stopGateway(1)
    const number = await system.ask('/run echo hello')
    const open = async () =>
      (await system.db.query('SELECT 1 FROM gateway WHERE open_until IS NOT NULL')).length === 2
    await system.until(open, 'both breakers to open', 20_000)
    const task = await system.taskIs(number, '1', 'queued')
    expect(task.attempts).toBe(0)
    expect(await status()).toMatch(/⚠️ gateway gateway(-2)? does not answer: work waits/)
    system.startGateway(0)
    await system.runIs(number, 'succeeded')
  })
})
