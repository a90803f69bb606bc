import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bob, buttonsOf, processesWith, type System, startSystem, textOf } from '../support/system.ts'

describe('stopping work', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
    await system.giveRole(bob, 'operator')
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  /** Notes how many processes live whenever the chat is told that the run is cancelled. */
  function watch(mark: string, number: number): { alive: number[]; end(): void } {
    const alive: number[] = []
    const end = system.telegram.onCall((call) => {
      const { text } = call.payload as { text?: string }
      if (new RegExp(`#${number} cancelled`).test(text ?? '')) alive.push(processesWith(mark))
    })
    return { alive, end }
  }

  test('/cancel ends the whole process tree before it says so', async () => {
    const number = await system.ask('/run setsid sleep 7311 & (sleep 7311 &) ; env -i sleep 7311')
    await system.message(new RegExp(`#${number} running`))
    await system.until(() => processesWith('sleep\u00007311') >= 3, 'the tree to run')
    const watched = watch('7311', number)
    system.say('/cancel')
    const said = await system.message(new RegExp(`Cancelling #${number}`))
    const card = await system.message(new RegExp(`⏹ #${number} cancelled`), { after: said.message_id })
    watched.end()
    expect(watched.alive.length).toBeGreaterThan(0)
    expect(watched.alive).toEqual(watched.alive.map(() => 0))
    expect(textOf(card)).toContain('Cancelled by Ana. Everything has stopped.')
    const types = await system.db.query<{ type: string }>(
      'SELECT type FROM event e JOIN run r ON r.id = e.run_id WHERE r.number = $1 ORDER BY seq',
      [number],
    )
    const order = types
      .map((t) => t.type)
      .filter((t) => ['run.cancelling', 'attempt.tree_exited', 'run.cancelled'].includes(t))
    expect(order[0]).toBe('run.cancelling')
    expect(order).toContain('run.cancelled')
  })

  test('the button cancels a tree that will not listen to TERM: first cancelling, then cancelled', async () => {
    const number = await system.ask("/run trap '' TERM; sleep 7322; sleep 7322")
    const card = await system.message(new RegExp(`#${number} running`))
    await system.until(() => processesWith('sleep\u00007322') > 0, 'the tree to run')
    const watched = watch('7322', number)
    expect(await system.tap('Cancel', { on: card.message_id })).toContain('Cancelling')
    const cancelling = await system.message(new RegExp(`⏹ #${number} cancelling`))
    expect(cancelling.message_id).toBe(card.message_id)
    expect(textOf(cancelling)).toContain('waiting until the machine confirms')
    expect(buttonsOf(cancelling)).toEqual([])
    await system.message(new RegExp(`⏹ #${number} cancelled`))
    watched.end()
    expect(watched.alive).toEqual(watched.alive.map(() => 0))
    expect(await system.until(async () => processesWith('7322') === 0, 'nothing to be left')).toBe(true)
  })

  test('what waits for an approval is cancelled at once, and its question closed', async () => {
    const number = await system.ask('/run touch never')
    const question = await system.message(/❓.*touch never/)
    const said = system.say(`/cancel ${number}`)
    await system.message(new RegExp(`#${number} is cancelled; nothing of it was running`), { after: said })
    expect((await system.message(/no longer asked/)).message_id).toBe(question.message_id)
    system.say(`/cancel ${number}`)
    await system.message(new RegExp(`#${number} has ended already: cancelled`))
  })

  test("several runs: a picker; none: says so; another one's: not for everybody", async () => {
    const first = await system.ask('/run sleep 7333')
    const second = await system.ask('/run sleep 7333')
    await system.taskIs(second, '1', 'running')
    system.say(`/cancel ${first}`, { from: bob })
    await system.message(/Only who asked for it/, { chat: bob.id })
    const said = system.say('/cancel')
    const picker = await system.message(/Which one\?/, { after: said })
    await system.tap(new RegExp(`#${second} `), { on: picker.message_id })
    await system.runIs(second, 'cancelled')
    expect((await system.run(first)).status).toBe('running')
    system.say('/cancel')
    await system.runIs(first, 'cancelled')
    const none = system.say('/cancel')
    await system.message(/Nothing of yours is running/, { after: none })
  })

  test('pause lets the running step end and starts nothing; resume goes on', async () => {
    const number = await system.ask('/run until [ -e go-on ]; do sleep 0.1; done')
    await system.taskIs(number, '1', 'running')
    system.say('/pause')
    await system.message(new RegExp(`#${number} is paused`))
    writeFileSync(system.path('go-on'), '')
    await system.runIs(number, 'succeeded')
    const late = system.say(`/resume ${number}`)
    await system.message(new RegExp(`#${number} is not paused`), { after: late })
  })

  test('a machine that cannot be reached: force-cancelled after 5 s, cancelled once it confirms', async () => {
    const number = await system.ask('/run sleep 7344')
    await system.taskIs(number, '1', 'running')
    const agent = system.machine().process?.pid() ?? 0
    process.kill(agent, 'SIGSTOP')
    try {
      system.say('/cancel')
      const card = await system.message(new RegExp(`#${number} force-cancelled`))
      expect(textOf(card)).toContain('laptop has not confirmed; killed when it returns')
      expect(processesWith('sleep\u00007344')).toBeGreaterThan(0)
    } finally {
      process.kill(agent, 'SIGCONT')
    }
    await system.runIs(number, 'cancelled')
    await system.message(new RegExp(`#${number} cancelled`))
    expect(processesWith('sleep\u00007344')).toBe(0)
  })
})
