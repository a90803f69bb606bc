import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buttonsOf, processesWith, type System, startSystem, textOf } from '../support/system.ts'

describe.each(['postgres', 'redis'] as const)('restarts, with the queue on %s', (queue) => {
  let system: System
  beforeAll(async () => {
    system = await startSystem({ queue })
  })
  afterAll(() => system?.stop())
  afterEach(() => {
    rmSync(system.path('go'), { force: true })
    expect(system.faults).toEqual([])
  })

  /** What a command waits for that is to run until the test lets it end. */
  const untilGo = 'until [ -e go ]; do sleep 0.1; done'
  const go = () => writeFileSync(system.path('go'), '')

  test('the bot: it goes on with the same card, and answers what was said meanwhile', async () => {
    const number = await system.ask(`/run ${untilGo}`)
    const card = await system.message(new RegExp(`#${number} running`))
    await system.stopBot()
    system.say('/policy echo meanwhile')
    go()
    await system.runIs(number, 'succeeded')
    await system.startBot()
    const done = await system.message(new RegExp(`#${number} succeeded`))
    expect(done.message_id).toBe(card.message_id)
    expect(done.edits).toBeGreaterThan(card.edits)
    await system.message(/echo meanwhile/)
    expect(system.messages().filter((m) => textOf(m).includes(`#${number} `))).toHaveLength(1)
  })

  test('an approval survives restarts of bot and workers; its buttons still work', async () => {
    const number = await system.ask('/run touch survives')
    const card = await system.message(/❓.*touch survives/)
    await system.stopWorkers()
    await system.restartBot()
    expect(await system.tap('Approve', { on: card.message_id })).toContain('Approved')
    system.startWorkers()
    await system.runIs(number, 'succeeded')
    expect(system.has('survives')).toBe(true)
  })

  test('workers away while something is asked: it is planned and run once they are back', async () => {
    await system.stopWorkers()
    const number = await system.ask('/run git status')
    await system.message(new RegExp(`#${number} planning`))
    system.startWorkers()
    await system.runIs(number, 'succeeded')
  })

  test('the gateway killed while work goes on: nothing is started twice, its output arrives whole', async () => {
    const number = await system.ask(
      `/run for i in 1 2 3; do echo part $i; done; ${untilGo}; for i in 4 5; do echo part $i; done`,
    )
    await system.taskIs(number, '1', 'running')
    system.kill('gateway')
    go()
    const run = await system.runIs(number, 'succeeded')
    expect(run.tasks[0]?.attempts).toBe(1)
    expect(run.tasks[0]?.result?.summary).toBe('part 1\npart 2\npart 3\npart 4\npart 5\n'.trimEnd())
    const log = await system.db.query<{ text: string }>(
      "SELECT string_agg(l.text, '' ORDER BY l.seq) AS text FROM log_chunk l JOIN attempt a ON a.id = l.attempt_id WHERE a.task_id = $1",
      [run.tasks[0]?.id],
    )
    expect(log[0]?.text).toBe('part 1\npart 2\npart 3\npart 4\npart 5\n')
    await system.connected()
  })

  test('the agent killed under what only reads: it runs again by itself', async () => {
    const number = await system.ask(`/run ${untilGo}`)
    await system.taskIs(number, '1', 'running')
    system.kill('agent')
    go()
    const run = await system.runIs(number, 'succeeded')
    expect(run.tasks[0]?.attempts).toBe(2)
    const attempts = await system.db.query<{ status: string }>(
      'SELECT status FROM attempt WHERE task_id = $1 ORDER BY number',
      [run.tasks[0]?.id],
    )
    expect(attempts.map((a) => a.status)).toEqual(['lost', 'exited'])
  })

  test('the agent killed under what changes something: it waits for a person, who decides', async () => {
    const number = await system.ask('/run touch begun; sleep 7411; touch ended')
    await system.tap('Approve', { after: (await system.message(/❓.*touch begun/)).message_id - 1 })
    await system.until(() => processesWith('sleep\u00007411') > 0, 'it to run')
    system.kill('agent')
    const question = await system.message(new RegExp(`🖐 #${number} step 1 needs you`))
    expect(question.silent).toBe(false)
    expect(textOf(question)).toContain('was not repeated')
    expect(processesWith('sleep\u00007411')).toBe(0)
    const card = await system.message(new RegExp(`🖐 #${number} needs you`))
    expect(buttonsOf(card)).toEqual(['Run 1 again', 'Skip 1', 'Cancel', 'Pause', 'Logs'])
    expect((await system.run(number)).tasks[0]?.attempts).toBe(1)
    await system.connected()
    expect(await system.tap('Skip 1')).toContain('Skipped')
    await system.runIs(number, 'failed')
    expect(system.has('ended')).toBe(false)
  })

  test('needs review, run again: a new attempt under a new token', async () => {
    const number = await system.ask(`/run touch again-begun; ${untilGo}; touch again-ended`)
    await system.tap('Approve', { after: (await system.message(/❓.*again-begun/)).message_id - 1 })
    await system.until(() => system.has('again-begun'), 'it to begin')
    system.kill('agent')
    await system.taskIs(number, '1', 'needs_review')
    go()
    await system.connected()
    expect(await system.tap('Run 1 again')).toContain('It runs again')
    await system.runIs(number, 'succeeded')
    expect(system.has('again-ended')).toBe(true)
    const tokens = await system.db.query<{ claim_token: string }>(
      'SELECT DISTINCT a.claim_token FROM attempt a JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id WHERE r.number = $1',
      [number],
    )
    expect(tokens).toHaveLength(2)
  })

  test('a machine that is away: the run waits for it and starts when it returns', async () => {
    await system.stopAgent()
    await system.until(
      async () => (await system.db.query('SELECT 1 FROM agent WHERE NOT connected')).length > 0,
      'the machine to be away',
    )
    const number = await system.ask('/run git status')
    const card = await system.message(new RegExp(`⏳ #${number} waiting`))
    expect(textOf(card)).toContain('laptop is offline since')
    system.startAgent()
    await system.runIs(number, 'succeeded')
  })
})
