import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say, sayCard, sayDocument } from '../../bot/delivery/say.ts'
import type { ButtonAction } from '../../bot/render/buttons.ts'
import { storeGuide } from '../../core/guides/storeGuide.ts'
import { learnedPlaybooks } from '../../core/learning/learnedPlaybooks.ts'
import { meetPerson } from '../../core/people/people.ts'
import { addMachine, type TestMachine } from '../support/fleet.ts'
import { putMemory } from '../support/memories.ts'
import { ana, bob, buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

/*
 * Nothing of what was asked for in a private chat (number, title, code, log line) appears in a group, door by door. Ana
 * has in private one run that waits for an approval, one at work, one that failed and one that went well; all of them are
 * about zebras. Ana, who may see it all, says and taps in the group whatever could bring them there.
 */

const GROUP = -6161
const OTHER = -6262
let system: System
let machine: TestMachine
let serial = 0
const own: number[] = []
const codes: string[] = []
let approvalId = ''
let planHash = ''
let ids: string[] = []
/** In privacy mode a bot hears commands, and replies to what it said: this is such a message, of no run. */
let paired = 0

beforeAll(async () => {
  system = await startSystem({ processes: false })
  machine = await addMachine(system.deps, { name: 'laptop' })
  await system.giveRole(bob, 'operator')
  for (const id of [GROUP, OTHER]) {
    system.telegram.createGroup({ id, title: 'Team', members: [ana, bob] })
    system.say('/pair', { chat_id: id })
    const said = await system.message(/This group is paired/, { chat: id })
    if (id === GROUP) paired = said.message_id
  }
  for (const chat_id of [ana.id, GROUP, OTHER]) {
    system.say('/use laptop', { chat_id })
    await system.message(/From now on you work in/, { chat: chat_id })
  }
  for (const name of ['waits', 'works', 'failed', 'well'])
    own.push(await system.ask(`/run npm install zebra-${name}`))
  for (const number of own) await system.runIs(number, 'awaiting_approval')
  const rows = await system.db.query<{ id: string; code: string; plan_hash: string; run_id: string }>(
    'SELECT a.id, a.code, a.plan_hash, a.run_id FROM approval a JOIN run r ON r.id = a.run_id ORDER BY r.number',
  )
  codes.push(...rows.map(({ code }) => code))
  ids = rows.map(({ run_id }) => run_id)
  approvalId = rows[0]?.id ?? ''
  planHash = rows[0]?.plan_hash ?? ''
  await system.db.query("UPDATE approval SET status = 'cancelled' WHERE run_id <> $1", [ids[0]])
  const become = (id: string | undefined, status: string, ended: boolean) =>
    system.db.query(
      'UPDATE run SET status = $2, started_at = clock_timestamp(), ended_at = CASE WHEN $3 THEN clock_timestamp() END WHERE id = $1',
      [id, status, ended],
    )
  await become(ids[1], 'running', false)
  await become(ids[2], 'failed', true)
  await become(ids[3], 'succeeded', true)
  await system.db.query(
    `UPDATE task SET status = 'failed', result = '{"summary":"zebra broke"}', error = '{"code":"X","message":"zebra"}' WHERE run_id = $1`,
    [ids[2]],
  )
  await system.db.query(
    `INSERT INTO attempt (id, task_id, number, claim_token, agent_id, spec_hash, "grant", status, claimed_at)
     SELECT gen_random_uuid(), id, 1, gen_random_uuid(), agent_id, spec_hash, '{}', 'started', clock_timestamp() FROM task WHERE run_id = $1`,
    [ids[1]],
  )
})
afterAll(() => system?.stop())

/** Everything that the group and whoever taps there has been shown after a message. */
const shown = (after: number, chat = GROUP): string[] =>
  system
    .messages(chat)
    .filter((m) => m.message_id > after)
    .flatMap((m) => [textOf(m), ...buttonsOf(m)])

/** What of the private chat stands in it. A number or code that is said back where it was asked for tells nothing. */
const leaks = (lines: readonly string[]): string[] =>
  lines.filter((line) => {
    const answer = /^There is no (?:run|approval) \S+ of this chat/.test(line) ? '' : line
    const named = own.some((number) => new RegExp(`#${number}\\b`).test(answer))
    return /zebra/i.test(line) || named || codes.some((code) => new RegExp(`\\b${code}\\b`).test(answer))
  })

/** Says it all, and waits until all of it has been answered: what one person says is handled one after the other. */
async function sayAll(texts: readonly string[], options: object = {}): Promise<string[]> {
  const [first = 0] = texts.map((text) => system.say(text, { chat_id: GROUP, reply_to: paired, ...options }))
  serial += 1
  system.say(`/policy echo fence-${serial}`, { chat_id: GROUP })
  await system.message(new RegExp(`fence-${serial}`), { chat: GROUP, after: first })
  return shown(first)
}

describe('in a group', () => {
  const words = ['how far?', 'what failed?', 'why?', 'how long yet?', 'what next?', 'what did it print?']
  const steering = ['stop', 'stop everything', 'pause', 'go on', 'try again', 'approve it', 'yes', 'no']

  test('no word about work, and no command, brings anything of a private chat', async () => {
    const commands = ['/status', '/runs', '/runs ana failed 7d', '/logs', '/approve', '/deny', '/cancel']
    const more = [
      '/pause',
      '/resume',
      '/retry',
      '/agents',
      '/settings',
      '/skills',
      '/usage',
      '/memory',
      '/audit',
    ]
    const told = await sayAll([...words, ...steering, ...commands, ...more])
    expect(leaks(told)).toEqual([])
    expect(told.length).toBeGreaterThan(words.length + steering.length + commands.length)
    expect(told.join('\n')).toContain('Nothing of yours is running in this chat')
  })

  test('nor does its number or its code, whoever says it', async () => {
    const [a = 0, b = 0, c = 0, d = 0] = own
    const named = own.flatMap((n) => [
      `/status #${n}`,
      `/logs ${n}`,
      `/memory #${n}`,
      `what failed in #${n}?`,
    ])
    const acts = [
      `/cancel #${b}`,
      `/pause #${b}`,
      `/retry #${c}`,
      `stop #${b}`,
      `try #${c} again`,
      `/resume #${d}`,
    ]
    const decides = codes.flatMap((code) => [`/approve ${code} yes`, `/deny ${code}`, `deny ${code}`])
    expect(leaks(await sayAll([...named, ...acts]))).toEqual([])
    expect(leaks(await sayAll([...decides, `approve #${a}`, `how far is #${b}?`]))).toEqual([])
    expect((await system.run(a)).status).toBe('awaiting_approval')
    expect((await system.run(b)).status).toBe('running')
  })

  test('nor does a button that came there somehow, tapped by whoever', async () => {
    const [asks = '', works = '', failed = '', well = ''] = ids
    const meant: ButtonAction[] = [
      ...(['cancel', 'pause', 'resume', 'logs', 'again', 'card', 'elsewhere'] as const).map(
        (what): ButtonAction => ({ do: what, runId: works }),
      ),
      { do: 'retry', runId: failed, taskId: null },
      { do: 'again', runId: failed },
      { do: 'memories_of', runId: well },
      { do: 'keep', runId: well },
      { do: 'decide', approvalId, planHash, decision: 'denied' },
      { do: 'arm', approvalId, planHash, armed: true },
      ...(['details', 'revise', 'say_change', 'ask_again'] as const).map(
        (what): ButtonAction => ({ do: what, approvalId }),
      ),
      { do: 'edit', approvalId, taskKey: '1' },
      { do: 'drop', approvalId, taskKey: '1' },
      { do: 'more', approvalId, planHash },
      { do: 'stand', approvalId, planHash, kind: 'command' },
      { do: 'start', kind: 'command', text: 'true', agentId: machine.agentId, cwd: '/work', instead: asks },
    ]
    const buttons = meant.map((action, i) => [{ text: `b${i}`, action }])
    await system.db.tx((tx) =>
      say(tx, system.deps.bus, { chatId: GROUP, topicId: 0 }, 'all of them', { buttons }),
    )
    const { message_id } = await system.message(/all of them/, { chat: GROUP })
    for (const from of [ana, bob])
      for (let i = 0; i < meant.length; i++) {
        const toast = await system.tap(`b${i}`, { chat: GROUP, on: message_id, from })
        expect(toast, `${meant[i]?.do}`).toMatch(/of another chat|may not|Only|cannot/)
        expect(leaks([toast])).toEqual([])
      }
    expect(leaks(shown(message_id))).toEqual([])
    expect((await system.run(own[0] ?? 0)).status).toBe('awaiting_approval')
    expect((await system.run(own[1] ?? 0)).status).toBe('running')
  })

  test('nor does a reply to a card of it, nor anything in this program that would send one', async () => {
    const where = { chatId: GROUP, topicId: 0 }
    const { message_id } = await system.message(/all of them/, { chat: GROUP })
    await system.db.query(
      "INSERT INTO card (id, kind, run_id, chat_id, message_id) VALUES ($1, 'run', $2, $3, $4)",
      [randomUUID(), ids[2], GROUP, message_id],
    )
    expect(
      leaks(await sayAll([...words, '/logs', '/status', 'try again'], { reply_to: message_id })),
    ).toEqual([])
    await system.db.tx(async (tx) => {
      const card = { kind: 'run' as const, runId: ids[2] ?? '', silent: true, key: randomUUID() }
      expect(await sayCard(tx, system.deps.bus, where, card)).toBe(false)
      await sayDocument(tx, system.deps.bus, where, { name: 'zebra.log', runId: ids[2] ?? '' })
    })
    expect(leaks(shown(0))).toEqual([])
  })

  test('what the group asked for is told there, and everything in private', async () => {
    const number = await system.ask('/run npm install giraffe', { chat_id: GROUP, from: ana })
    await system.runIs(number, 'awaiting_approval')
    const told = await sayAll(['/status', '/runs', `/status #${number}`, '/approve'])
    expect(told.filter((line) => line.includes('giraffe')).length).toBeGreaterThan(3)
    expect(leaks(told)).toEqual([])
    const said = system.say('/runs')
    const listed = textOf(await system.message(/^Runs/, { after: said }))
    for (const one of [...own, number]) expect(listed).toContain(`#${one} `)
    const elsewhere = system.say(`/status #${number}`, { chat_id: OTHER })
    await system.message(new RegExp(`There is no run #${number} of this chat`), {
      chat: OTHER,
      after: elsewhere,
    })
  })

  test('neither a kept playbook nor a standing approval of a private chat is listed or used there', async () => {
    const { id: personId } = await meetPerson(system.db, { id: ana.id, name: 'Ana' }, [ana.id])
    const guide = { kind: 'playbook' as const, source: `run #${own[3]}`, description: 'zebra', origins: [] }
    const text = 'title: Count zebras\nphrases: [count the zebras]\n'
    await system.db.tx((tx) =>
      storeGuide(tx, { ...guide, name: 'count-zebras', text, runId: ids[3] ?? '' }, personId),
    )
    const [{ hash = '' } = {}] = await system.db.query<{ hash: string }>(
      "SELECT current_hash AS hash FROM guide WHERE name = 'count-zebras'",
    )
    await system.db.query(
      `INSERT INTO standing_approval (id, kind, scope_hash, label, agent_id, machine_id, cwd, asker_id, given_by, risk, approval_id, expires_at)
       VALUES (gen_random_uuid(), 'command', 'x', 'feed zebra', $1, 'm', '/work', $2, $2, 'low', $3, clock_timestamp() + interval '1 hour')`,
      [machine.agentId, personId, approvalId],
    )
    expect(leaks(await sayAll(['/settings', '/skills', '/skills count-zebras']))).toEqual([
      'There is no count-zebras. /skills shows what there is.',
    ])
    const [{ id: standingId = '' } = {}] = await system.db.query<{ id: string }>(
      'SELECT id FROM standing_approval',
    )
    const actions: ButtonAction[] = [
      { do: 'unstand', standingId },
      { do: 'guide', kind: 'playbook', name: 'count-zebras' },
      { do: 'review_guide', kind: 'playbook', name: 'count-zebras', hash, sure: true },
      { do: 'remove_guide', kind: 'playbook', name: 'count-zebras', sure: true },
    ]
    const buttons = actions.map((action, i) => [{ text: `g${i}`, action }])
    await system.db.tx((tx) =>
      say(tx, system.deps.bus, { chatId: GROUP, topicId: 0 }, 'its texts', { buttons }),
    )
    const { message_id } = await system.message(/its texts/, { chat: GROUP })
    for (let i = 0; i < actions.length; i++) await system.tap(`g${i}`, { chat: GROUP, on: message_id })
    expect(leaks(shown(message_id))).toEqual([])
    const said = system.say('/settings')
    await system.message(/feed zebra/, { after: said })
    await system.db.query("UPDATE guide SET reviewed_hash = current_hash WHERE name = 'count-zebras'")
    expect(await learnedPlaybooks(system.db, [], GROUP)).toEqual([])
  })

  test('memories of a private chat are neither listed, found nor shown there', async () => {
    const id = await putMemory(system.deps, { text: 'zebra: feed it at noon', chatId: ana.id })
    expect(
      leaks(await sayAll(['/memory', '/memory feed', `/memory M${id}`, `/memory forget M${id}`])),
    ).toEqual([])
    const said = system.say('/memory feed')
    await system.message(/feed it at noon/, { after: said })
  })
})
