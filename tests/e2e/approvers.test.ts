import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setEntitlement } from '../../core/people/entitlements.ts'
import { meetPerson } from '../../core/people/people.ts'
import { addMachine } from '../support/fleet.ts'
import { ana, bob, buttonsOf, eve, type Person, type System, startSystem, textOf } from '../support/system.ts'

const GROUP = -5151
const OTHER = -5252
const cara: Person = { id: 7_000_011, first_name: 'Cara' }
const dan: Person = { id: 7_000_012, first_name: 'Dan' }
const zoe: Person = { id: 7_000_013, first_name: 'Zoe' }
const all = [ana, bob, cara, dan, zoe, eve]

/*
 * Bob may ask and not decide. Ana (owner) and Cara (approver) decide anywhere, Dan (approver) only in another group and
 * on another machine than asked for, Zoe (approver) has never started the bot, Eve is a stranger.
 */
let system: System
let serial = 0
beforeAll(async () => {
  system = await startSystem({ processes: false })
  const laptop = await addMachine(system.deps, { name: 'laptop' })
  const desk = await addMachine(system.deps, { name: 'desk' })
  await system.giveRole(bob, 'operator')
  for (const person of [cara, dan, zoe]) await system.giveRole(person, 'approver')
  for (const id of [GROUP, OTHER]) {
    system.telegram.createGroup({ id, title: id === GROUP ? 'Team <1>' : 'Others', members: all })
    system.say('/pair', { chat_id: id })
    await system.message(/This group is paired/, { chat: id })
  }
  for (const person of [ana, bob, cara, dan]) {
    system.say('/start', { chat_id: person.id, from: person })
    await system.message(/./, { chat: person.id })
  }
  await entitle(dan, 'machine', desk.agentId)
  await entitle(dan, 'chat', String(OTHER))
  for (const chat of [GROUP, OTHER, ana.id, bob.id, cara.id]) {
    const from = chat === bob.id || chat === cara.id ? { from: all.find(({ id }) => id === chat) ?? ana } : {}
    system.say('/use laptop', { chat_id: chat, ...from, ...(chat < 0 ? { from: bob } : {}) })
    await system.message(/From now on you work in/, { chat })
  }
  expect(laptop.agentId).toBeTruthy()
})
afterAll(() => system?.stop())
beforeEach(() => {
  serial += 1
})

const personId = async ({ id, first_name }: Person): Promise<string> =>
  (await meetPerson(system.db, { id, name: first_name }, [ana.id])).id
const entitle = async (person: Person, kind: 'chat' | 'machine', target: string) =>
  setEntitlement(system.db, await personId(person), { kind, target, on: true }, null)

/** A command that policy asks about, said by Bob in the group unless told otherwise. */
async function ask(at: { chat?: number; from?: Person; command?: string } = {}) {
  const { chat = GROUP, from = bob, command = 'npm install' } = at
  const whole = `${command} thing-${serial}`
  const pattern = new RegExp(`❓.*${whole}`)
  const number = await system.ask(`/run ${whole}`, { chat_id: chat, from })
  await system.message(pattern, { chat })
  return { number, pattern }
}
const copyOf = (pattern: RegExp, person: Person) => system.message(pattern, { chat: person.id })
const codeOf = (card: Parameters<typeof textOf>[0]): string => /❓ ([A-Z]\d+)/.exec(textOf(card))?.[1] ?? ''
const hasCopy = (pattern: RegExp, { id }: Person): boolean =>
  system.messages(id).some((message) => pattern.test(textOf(message)))
/** The bot has read every event so far. */
const caughtUp = () =>
  system.until(
    async () =>
      (
        await system.db.query(
          "SELECT 1 FROM event e, event_cursor c WHERE c.reader = 'bot' AND (e.xid::text::numeric, e.seq) > (split_part(c.cursor, '.', 1)::numeric, split_part(c.cursor, '.', 2)::bigint) LIMIT 1",
        )
      ).length === 0,
    'the bot to have read every event',
  )

describe('an approval that was asked for in a group', () => {
  test('goes to approvers who may decide it, in private; the first answer edits every copy', async () => {
    const { number, pattern } = await ask()
    const [group, anas, caras] = await Promise.all([
      system.message(pattern, { chat: GROUP }),
      copyOf(pattern, ana),
      copyOf(pattern, cara),
    ])
    expect(textOf(caras)).toContain('asked in Team <1>')
    expect(caras.silent).toBe(false)
    expect(buttonsOf(caras)).toEqual(buttonsOf(group))
    await caughtUp()
    for (const person of [bob, dan, zoe, eve]) expect(hasCopy(pattern, person)).toBe(false)
    expect(await system.tap('Approve', { chat: cara.id, from: cara, on: caras.message_id })).toContain(
      'Approved',
    )
    await system.runIs(number, 'running')
    for (const [chat, card] of [
      [GROUP, group],
      [ana.id, anas],
      [cara.id, caras],
    ] as const) {
      const record = await system.message(/✓ [A-Z]\d+ approved by Cara/, { chat, after: card.message_id - 1 })
      expect([record.message_id, buttonsOf(record)]).toEqual([card.message_id, []])
    }
    expect(system.faults).toEqual([])
  })

  test('is asked once in each chat, however often its event is read', async () => {
    const { pattern } = await ask()
    await copyOf(pattern, cara)
    await caughtUp()
    await system.stopBot()
    await system.db.query("DELETE FROM event_cursor WHERE reader = 'bot'")
    await system.db.query(
      "INSERT INTO event_cursor SELECT 'bot', xid::text || '.' || seq FROM event ORDER BY xid, seq LIMIT 1",
    )
    await system.startBot()
    await caughtUp()
    await system.until(
      async () => (await system.db.query("SELECT 1 FROM delivery WHERE status = 'pending'")).length === 0,
      'the outbox to be empty',
    )
    for (const chat of [GROUP, ana.id, cara.id])
      expect(system.messages(chat).filter((m) => pattern.test(textOf(m)))).toHaveLength(1)
  })

  test('a copy is refused to who lost the role meanwhile, and tells them nothing more', async () => {
    const { number, pattern } = await ask()
    const copy = await copyOf(pattern, cara)
    await system.giveRole(cara, 'viewer')
    expect(await system.tap('Approve', { chat: cara.id, from: cara, on: copy.message_id })).toContain(
      'You may not decide this',
    )
    await system.tap('Deny', { on: (await copyOf(pattern, ana)).message_id })
    await system.runIs(number, 'denied')
    const left = await system.message(/is not yours to answer any more/, { chat: cara.id })
    expect([left.message_id, buttonsOf(left)]).toEqual([copy.message_id, []])
    await system.giveRole(cara, 'approver')
  })

  test('a tap that comes second on another copy changes nothing', async () => {
    const { number, pattern } = await ask()
    const [anas, caras] = [await copyOf(pattern, ana), await copyOf(pattern, cara)]
    const answers = await Promise.all([
      system.tap('Approve', { chat: ana.id, on: anas.message_id }),
      system.tap('Deny', { chat: cara.id, from: cara, on: caras.message_id }),
    ])
    expect(answers.filter((line) => line.startsWith('Already'))).toHaveLength(1)
    await system.runIs(number, 'running', 'denied')
    const rows = await system.db.query(
      "SELECT 1 FROM event e JOIN run r ON r.id = e.run_id WHERE r.number = $1 AND e.type = 'approval.decision'",
      [number],
    )
    expect(rows).toHaveLength(1)
  })

  test('is reminded of in each chat once, and expires in all of them', async () => {
    const { number, pattern } = await ask()
    const copy = await copyOf(pattern, cara)
    const code = codeOf(copy)
    await age(number, 13)
    for (const chat of [GROUP, ana.id, cara.id])
      await system.message(new RegExp(`⏰ ${code} still waits`), { chat })
    await age(number, 13)
    await system.runIs(number, 'expired')
    for (const chat of [GROUP, ana.id, cara.id]) {
      await system.message(new RegExp(`⌛ ${code} expired`), { chat })
      expect(system.messages(chat).filter((m) => textOf(m).includes(`⏰ ${code}`))).toHaveLength(1)
    }
    expect(hasCopy(new RegExp(code), dan)).toBe(false)
  })

  test('a blocked private chat ends that copy alone', async () => {
    const { number, pattern } = await ask()
    const copy = await copyOf(pattern, cara)
    system.telegram.setBotAccess(cara.id, 'blocked')
    await system.tap('Approve', { on: (await copyOf(pattern, ana)).message_id })
    await system.message(new RegExp(`✓ ${codeOf(copy)} approved by Ana`), { chat: GROUP })
    const isBlocked = async () =>
      (await system.db.query('SELECT 1 FROM chat WHERE id = $1 AND blocked_at IS NOT NULL', [cara.id]))
        .length === 1
    await system.until(isBlocked, 'the chat to count as blocked')
    const other = await ask({ command: 'npm install again' })
    await copyOf(other.pattern, ana)
    expect(await system.run(number)).toMatchObject({ status: 'running' })
    expect(hasCopy(/❓.*again/, cara)).toBe(false)
    system.telegram.setBotAccess(cara.id, 'member')
    system.say('/start', { chat_id: cara.id, from: cara })
    await system.until(async () => !(await isBlocked()), 'the chat to be reachable again')
  })

  test('an approver held to that group answers in private too, and of other chats sees nothing', async () => {
    const id = await personId(cara)
    await entitle(cara, 'chat', String(GROUP))
    const { number, pattern } = await ask()
    const copy = await copyOf(pattern, cara)
    const elsewhere = await ask({ chat: OTHER, command: 'npm install other' })
    await copyOf(elsewhere.pattern, ana)
    expect(hasCopy(/❓.*other/, cara)).toBe(false)
    expect(await system.tap('Approve', { chat: cara.id, from: cara, on: copy.message_id })).toContain(
      'Approved',
    )
    await system.runIs(number, 'running')
    await answersByWords(elsewhere.pattern)
    await system.db.query('DELETE FROM entitlement WHERE person_id = $1', [id])
  })

  /** What Cara types in private counts as her taps do, and for no other chat's run. */
  async function answersByWords(elsewhere: RegExp): Promise<void> {
    const says = async (text: string, answer: RegExp): Promise<void> => {
      const said = system.say(text, { chat_id: cara.id, from: cara })
      await system.message(answer, { chat: cara.id, after: said })
    }
    const [typed, changed] = [
      await ask({ command: 'npm install typed' }),
      await ask({ command: 'npm install changed' }),
    ]
    await says(`/approve ${codeOf(await copyOf(typed.pattern, cara))}`, /Approved/)
    await system.runIs(typed.number, 'running')
    const other = codeOf(await copyOf(elsewhere, ana))
    for (const text of [`/approve ${other}`, `/deny ${other}`, '/approve', '/run npm install mine'])
      await says(text, /You may not act in this chat/)

    const copy = await copyOf(changed.pattern, cara)
    await system.tap('Revise', { chat: cara.id, from: cara, on: copy.message_id })
    const edit = { chat: cara.id, from: cara, after: copy.message_id }
    await system.tap(/^Edit command/, edit)
    await system.message(/What should it be/, edit)
    await says('/cancel', /Left the question/)
    await says('npm install nothing', /You may not act in this chat/)
    await system.tap(/^Edit command/, edit)
    await system.message(/What should it be/, edit)
    await says('npm install otherwise', /Changed: the new plan is below/)
    const again = await system.message(/❓[\s\S]*otherwise/, edit)
    await says(`/deny ${codeOf(again)}`, /Denied/)
    await system.runIs(changed.number, 'denied')
  }

  test('a first tap on high risk arms the copy it was made on, and no other', async () => {
    const { number, pattern } = await ask({ command: 'rm -rf' })
    const [anas, caras] = [await copyOf(pattern, ana), await copyOf(pattern, cara)]
    await system.tap('Approve', { on: anas.message_id })
    await system.until(
      () =>
        buttonsOf(system.messages().find((m) => m.message_id === anas.message_id) ?? anas).includes('Back'),
      'the second question',
    )
    await system.db.query("UPDATE card SET armed_at = armed_at - interval '1 min' WHERE armed_at IS NOT NULL")
    const forged = system.telegram.tap(cara.id, caras.message_id, 'Approve', cara)
    expect(forged).toBeTruthy()
    expect((await system.run(number)).status).toBe('awaiting_approval')
    await system.tap('Deny', {
      chat: GROUP,
      from: cara,
      on: (await system.message(pattern, { chat: GROUP })).message_id,
    })
    await system.runIs(number, 'denied')
  })
})

describe('elsewhere', () => {
  test('what an operator asks for in private goes to approvers; what an approver asks for stays with them', async () => {
    const { number, pattern } = await ask({ chat: bob.id })
    const copy = await copyOf(pattern, cara)
    expect(textOf(copy)).not.toContain('asked in')
    await copyOf(pattern, ana)
    await system.tap('Approve', { chat: cara.id, from: cara, on: copy.message_id })
    await system.runIs(number, 'running')
    await ask({ chat: cara.id, from: cara, command: 'npm install own' })
    await system.message(/❓.*own/, { chat: cara.id })
    await caughtUp()
    expect(hasCopy(/❓.*own/, ana)).toBe(false)
  })
})

const age = (number: number, hours: number) =>
  system.db.query(
    "UPDATE approval SET created_at = created_at - $2 * interval '1 h', expires_at = expires_at - $2 * interval '1 h' WHERE run_id = (SELECT id FROM run WHERE number = $1)",
    [number, hours],
  )
