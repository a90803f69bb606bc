import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OLDEST, readEvents } from '../../core/events/readEvents.ts'
import { addMachine } from '../support/fleet.ts'
import { bob, buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.stop())

type Run = {
  number: number
  status: string
  approval: { id: string; code: string; plan_hash: string } | null
}
async function call(path: string, body: object, at = system): Promise<{ status: number; body: Run }> {
  const response = await fetch(at.apiUrl + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${at.control.secrets.apiToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Run }
}

const createFile = (name: string) => ({
  request: `create file ${name} with hello`,
  agent_id: system.machine().agentId,
  cwd: system.path(''),
})

describe('a run that a program asked for', () => {
  test('asks an owner on the phone, whose tap starts it, and tells there how it ends', async () => {
    system.say('/start')
    await system.message(/./)
    const { status, body } = await call('/v1/plan', createFile('from-a-program.txt'))
    expect([status, body.status]).toEqual([201, 'awaiting_approval'])
    const question = await system.message(new RegExp(`\\b${body.approval?.code}\\b`))
    expect(buttonsOf(question)).toContain('Approve')
    await system.tap('Approve', { on: question.message_id })
    await system.runIs(body.number, 'succeeded')
    await system.message(new RegExp(`#${body.number} succeeded`))
    expect(system.has('from-a-program.txt')).toBe(true)
  })

  test('is settled in the chat when a program answers first', async () => {
    const { body } = await call('/v1/plan', createFile('by-a-program.txt'))
    const question = await system.message(new RegExp(`\\b${body.approval?.code}\\b`))
    const decided = await call(`/v1/approvals/${body.approval?.id}/decide`, {
      decision: 'deny',
      plan_hash: body.approval?.plan_hash,
    })
    expect(decided.status).toBe(200)
    await system.until(
      () =>
        /denied by installation/i.test(
          textOf(system.messages().find((m) => m.message_id === question.message_id) ?? question),
        ),
      'the card to say who denied',
    )
  })

  test('is told of in the chat that it names, and to who may decide where that one may not', async () => {
    await system.giveRole(bob, 'operator')
    system.say('/start', { chat_id: bob.id, from: bob })
    await system.message(/./, { chat: bob.id })
    const { body } = await call('/v1/plan', { ...createFile('for-bob.txt'), chat_id: bob.id })
    await system.message(new RegExp(`\\b${body.approval?.code}\\b`), { chat: bob.id })
    await system.message(new RegExp(`❓ ${body.approval?.code}\\b`))
  })
})

test('a question that came before any owner was there comes with its reminder', async () => {
  const fresh = await startSystem({ processes: false })
  const machine = await addMachine(fresh.deps)
  const request = { request: 'create file late.txt with hello', agent_id: machine.agentId }
  const { body } = await call('/v1/plan', request, fresh)
  const read = async () =>
    (await readEvents(fresh.db, (await cursorOf(fresh)) ?? OLDEST, 10)).every(
      ({ type }) => type !== 'approval.asked',
    )
  await fresh.until(read, 'the bot to have seen the question')
  fresh.say('/start')
  await fresh.message(/./)
  expect(fresh.messages().some((m) => textOf(m).includes(body.approval?.code ?? '?'))).toBe(false)
  await fresh.db.query(
    "UPDATE approval SET created_at = created_at - interval '20 h', expires_at = expires_at - interval '20 h'",
  )
  const question = await fresh.message(new RegExp(`\\b${body.approval?.code}\\b`))
  expect(buttonsOf(question)).toContain('Approve')
  await fresh.stop()
})

const cursorOf = async ({ db }: System): Promise<string | undefined> =>
  (await db.query<{ cursor: string }>("SELECT cursor FROM event_cursor WHERE reader = 'bot'"))[0]?.cursor
