import { randomUUID } from 'node:crypto'
import type { Update, UserFromGetMe } from 'grammy/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../api/routes.ts'
import { commands } from '../../bot/commands.ts'
import { createBot } from '../../bot/createBot.ts'
import { storeButtons } from '../../bot/delivery/say.ts'
import { methodOf } from '../../bot/features/taps.ts'
import { ButtonAction, buttonId } from '../../bot/render/buttons.ts'
import { newApiToken } from '../../core/people/apiTokens.ts'
import { setEntitlement } from '../../core/people/entitlements.ts'
import { accessOf, methods, permits } from '../../core/people/methods.ts'
import { type Role, roles, setRole } from '../../core/people/people.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import { addMachine, startRun, states, type TestMachine } from '../support/fleet.ts'
import { putMemory } from '../support/memories.ts'

/*
 * Roles by methods, the whole matrix. What each role may is written down here once more, from the words of the issue,
 * not read from the table: viewer reads; operator starts, and steers own runs; approver decides, retries, steers any;
 * owner all. What exists (commands, buttons, endpoints) is read from the code: a new one without a place fails.
 */

const reads = [
  ...['/start', '/help', '/status', '/runs', '/logs', '/policy', '/agents', '/agent_status', 'text'],
  ...['tap details', 'tap logs', 'tap card', 'tap settings', 'tap machine', '/settings', '/usage'],
  ...['/skills', 'tap skills', 'tap guide'],
  ...[
    'POST /v1/policy/check',
    'GET /v1/runs',
    'GET /v1/runs/:id',
    'GET /v1/runs/:id/logs',
    'GET /v1/runs/:id/stream',
  ],
  ...[
    'GET /v1/approvals',
    'GET /v1/standing-approvals',
    'GET /v1/approvals/:id',
    'GET /v1/tasks',
    'GET /v1/tasks/next',
    'GET /v1/tasks/:id',
  ],
  ...[
    'GET /v1/events',
    'GET /v1/events/stream',
    'GET /v1/agents',
    'GET /v1/gateways',
    'GET /v1/files/ownership',
  ],
  ...[
    'POST /v1/route-task',
    'POST /v1/scheduler/diagnose',
    'GET /v1/system-state',
    'GET /v1/providers/health',
  ],
  ...['GET /metrics', 'GET /v1/metrics'],
  ...['/memory', 'tap memory', 'tap memories', 'tap memories_of'],
  ...['POST /v1/memory/search', 'POST /v1/memory/similar', 'GET /v1/memory/stats'],
]
const starts = [
  ...['/run', '/plan', '/use', 'text that asks for work'],
  ...['tap unstand', 'tap again', 'tap say', 'tap details_of', 'tap use', 'tap start', 'tap answer'],
  ...[
    'POST /v1/plan',
    'POST /v1/tasks/enqueue',
    'POST /v1/execute',
    'POST /v1/standing-approvals/:id/revoke',
    'POST /v1/memory/store',
  ],
]
const steers = [
  ...[
    '/cancel',
    '/pause',
    '/resume',
    'tap cancel',
    'tap pause',
    'tap resume',
    'tap elsewhere',
    'tap release',
  ],
  ...[
    'tap revise',
    'tap drop',
    'tap edit',
    'tap say_change',
    'tap move',
    'tap review skip',
    'tap ask_again',
    'tap keep',
  ],
  ...['cancel', 'pause', 'resume', 'skip'].map((verb) => `POST /v1/runs/:id/${verb}`),
  'POST /v1/approvals/:id/ask-again',
  ...['tap forget_memory', 'tap correct_memory', 'tap undo_memory', 'POST /v1/memory/:id/forget'],
]
const decides = [
  ...[
    '/approve',
    '/deny',
    '/retry',
    'tap decide',
    'tap arm',
    'tap more',
    'tap stand',
    'tap retry',
    'tap review again',
  ],
  ...['POST /v1/runs/:id/retry', 'POST /v1/runs/:id/review', 'POST /v1/approvals/:id/decide'],
]
const manages = [
  ...['pair a group', 'tap add_machine', 'tap people', 'tap person', 'tap entitle', 'tap revoke_machine'],
  'tap recovery',
  ...['tap review_guide', 'tap remove_guide', 'tap rename_guide'],
  'POST /v1/agents/:id/revoke',
  ...['/audit', '/lockdown', 'tap lock_down', 'GET /v1/audit', 'POST /v1/audit/verify'],
]
const open = ['/pair', 'GET /v1/health', 'GET /v1/openapi.json', 'GET /docs']
const parts = [
  ...[
    'POST /v1/tasks/claim',
    ...['start', 'heartbeat', 'complete', 'release'].map((v) => `POST /v1/tasks/:id/${v}`),
  ],
  ...['POST /v1/register-gateway', 'POST /v1/register-worker', 'POST /v1/agents/enroll', 'POST /v1/report'],
]
const all = [reads, starts, steers, decides, manages, open, parts].flat()

/** By the words of the issue. */
function may(role: Role | null, method: string, own: boolean): boolean {
  const level = role === null ? -1 : roles.indexOf(role)
  if (open.includes(method)) return true
  if (reads.includes(method)) return level >= 0
  if (starts.includes(method)) return level >= 1
  if (steers.includes(method)) return level >= (own ? 1 : 2)
  if (decides.includes(method)) return level >= 2
  return manages.includes(method) && level >= 3
}

const everyRole: readonly (Role | null)[] = [null, ...roles]
const pairs = everyRole.flatMap((role) => [true, false].map((own) => ({ role, own })))

let api: TestApi
let machine: TestMachine
beforeAll(async () => {
  api = await openTestApi()
  machine = await addMachine(api.deps, { name: 'laptop' })
})
afterAll(() => api?.close())

let people = 0
async function somebody(role: Role | null): Promise<{ id: string; telegramId: number }> {
  const [id, telegramId] = [randomUUID(), 2_000_000 + ++people]
  await api.db.query('INSERT INTO person (id, telegram_id, name, role) VALUES ($1, $2, $3, $4)', [
    id,
    telegramId,
    `P${people}`,
    role,
  ])
  return { id, telegramId }
}

describe('the table of methods', () => {
  test('has all commands, buttons and endpoints that there are, and nothing else', () => {
    const there = [
      ...commands.map(({ name }) => `/${name}`),
      ...taps.map(methodOf),
      ...routes.map(({ method, url }) => `${method} ${url}`),
      ...['text', 'text that asks for work', 'pair a group'],
    ]
    expect(Object.keys(methods).sort()).toEqual([...new Set(there)].sort())
    expect([...all].sort()).toEqual(Object.keys(methods).sort())
  })

  test('every kind of button has a sample here', () => {
    const kinds = ButtonAction.options.flatMap((option) => {
      const { def } = option.shape.do
      return 'values' in def ? def.values : Object.values(def.entries)
    })
    expect([...new Set(taps.map((tap) => tap.do))].sort()).toEqual([...kinds].sort())
    for (const tap of taps) expect(ButtonAction.safeParse(tap).success).toBe(true)
  })

  test(`${everyRole.length} roles, own runs and others: as the words say`, () => {
    const wrong = pairs.flatMap(({ role, own }) =>
      all
        .filter((method) => permits({ role }, method, { own }) !== may(role, method, own))
        .map((m) => `${role} ${m}`),
    )
    expect(wrong).toEqual([])
  })

  test('what is not in it is denied to everybody', () => {
    for (const method of [
      '/shutdown',
      'tap root',
      'DELETE /v1/runs/:id',
      '__proto__',
      'toString',
      'constructor',
      '',
    ])
      for (const role of everyRole) expect([method, permits({ role }, method)]).toEqual([method, false])
  })

  test('scopes of endpoints agree with it', () => {
    const scopeOf = {
      look: ['read'],
      start: ['operate'],
      steer: ['operate'],
      decide: ['operate'],
      manage: ['admin'],
    }
    for (const { method, url, scope } of routes) {
      const access = accessOf(`${method} ${url}`)
      const scopes = typeof scope === 'string' ? [scope] : scope
      if (access === 'open') expect([url, scope]).toEqual([url, null])
      else if (access === 'part')
        expect(scopes?.every((one) => ['gateway', 'agent'].includes(one))).toBe(true)
      else expect(scopes).toContain(scopeOf[access as keyof typeof scopeOf]?.[0])
    }
  })
})

// --- buttons and commands, through the bot itself ----------------------------------------------------------------

const [RUN, TASK, APPROVAL, AGENT] = Array.from({ length: 4 }, () => randomUUID()) as [
  string,
  string,
  string,
  string,
]
/** In the place of who taps. */
const ME = randomUUID()
/** In the place of a memory's number. */
const MEMORY = 987_654_321
const about = { runId: RUN, taskId: TASK }
const taps: ButtonAction[] = [
  { do: 'decide', approvalId: APPROVAL, planHash: 'x', decision: 'approved' },
  { do: 'arm', approvalId: APPROVAL, planHash: 'x', armed: true },
  { do: 'details', approvalId: APPROVAL },
  { do: 'revise', approvalId: APPROVAL },
  { do: 'drop', approvalId: APPROVAL, taskKey: 'a' },
  { do: 'edit', approvalId: APPROVAL, taskKey: 'a' },
  { do: 'say_change', approvalId: APPROVAL },
  { do: 'move', approvalId: APPROVAL, agentId: AGENT, cwd: '/work' },
  ...(['cancel', 'pause', 'resume', 'logs', 'again', 'card', 'elsewhere'] as const).map((verb) => ({
    do: verb,
    runId: RUN,
  })),
  { do: 'retry', ...about },
  { do: 'release', ...about },
  { do: 'review', ...about, verdict: 'again' },
  { do: 'review', ...about, verdict: 'skip' },
  { do: 'say', text: 'list files' },
  { do: 'details_of', title: 'x', example: 'y' },
  { do: 'use', agentId: AGENT, cwd: '/work' },
  { do: 'start', kind: 'command', text: 'ls', agentId: AGENT, cwd: '/work' },
  { do: 'answer', value: 'x' },
  { do: 'add_machine' },
  { do: 'more', approvalId: APPROVAL, planHash: 'x' },
  { do: 'stand', approvalId: APPROVAL, planHash: 'x', kind: 'command' },
  { do: 'unstand', standingId: TASK },
  { do: 'ask_again', approvalId: APPROVAL },
  { do: 'settings' },
  { do: 'people' },
  { do: 'skills' },
  { do: 'keep', runId: RUN },
  { do: 'guide', kind: 'skill', name: 'deploy' },
  { do: 'review_guide', kind: 'skill', name: 'deploy', hash: 'a'.repeat(64), sure: true },
  { do: 'remove_guide', kind: 'playbook', name: 'deploy', sure: true },
  { do: 'rename_guide', name: 'deploy' },
  { do: 'memory', id: MEMORY },
  { do: 'memories', offset: 0 },
  { do: 'memories_of', runId: RUN },
  { do: 'forget_memory', id: MEMORY, sure: false },
  { do: 'correct_memory', id: MEMORY },
  { do: 'undo_memory', id: MEMORY },
  { do: 'person', personId: TASK },
  { do: 'entitle', personId: TASK, kind: 'machine', target: AGENT, on: true },
  { do: 'recovery', mode: 'off' },
  { do: 'lock_down', personId: ME, sure: true },
  { do: 'machine', agentId: AGENT },
  { do: 'revoke_machine', agentId: AGENT, sure: true },
]

const botInfo = { id: 1, is_bot: true, first_name: 'SKYNET', username: 'skynet_bot' } as UserFromGetMe
const refused =
  /may not decide|Only approvers|Only owners|Only who asked|lets you look|not for you|works for its owners/
class Undo extends Error {}
let bot: ReturnType<typeof createBot> | undefined

/** Handles an update as the bot does, looks at what came of it, and takes it all back. */
async function handled<T>(
  update: Update,
  before: (tx: Tx) => Promise<void>,
  after: (tx: Tx) => Promise<T>,
): Promise<T> {
  bot ??= createBot({ ...api.deps, ownerIds: [], gatewayUrl: 'http://127.0.0.1:8766' }, '1:x', botInfo)
  let found: T | undefined
  await api.db
    .tx(async (tx) => {
      await before(tx)
      await bot?.(tx, update)
      found = await after(tx)
      throw new Undo()
    })
    .catch((error) => {
      if (!(error instanceof Undo)) throw error
    })
  return found as T
}

const said = async (tx: Tx): Promise<string> =>
  (await tx.query<{ payload: { text?: string } }>('SELECT payload FROM delivery ORDER BY id'))
    .map((d) => d.payload.text ?? '')
    .join('\n')

/** What is decided about work: rows that a refused update leaves as they were. */
const worldOf = async (tx: Tx): Promise<unknown> =>
  tx.query(
    `SELECT (SELECT json_agg(json_build_array(id, status) ORDER BY id) FROM run) AS runs, (SELECT json_agg(json_build_array(id, status, approved_at) ORDER BY id) FROM task) AS tasks,
     (SELECT json_agg(json_build_array(id, status) ORDER BY id) FROM approval) AS approvals, (SELECT count(*) FROM approval_decision) AS decisions,
     (SELECT count(*) FROM one_time_code) AS codes, (SELECT count(*) FROM place_choice) AS places, (SELECT count(*) FROM chat WHERE paired_at IS NOT NULL) AS paired, (SELECT count(*) FROM card WHERE armed_at IS NOT NULL) AS armed`,
  )

let updates = 0
const updateOf = (from: number, what: { text: string } | { data: string }): Update => {
  const user = { id: from, is_bot: false, first_name: 'P' }
  const chat = { id: from, type: 'private' as const, first_name: 'P' }
  const message = { message_id: ++updates, date: 0, chat, from: user }
  if ('data' in what)
    return {
      update_id: updates,
      callback_query: { id: String(updates), from: user, chat_instance: 'x', data: what.data, message },
    } as Update
  const entities = what.text.startsWith('/')
    ? [
        {
          type: 'bot_command' as const,
          offset: 0,
          length: /^\/\w+(?:@\w+)?/.exec(what.text)?.[0].length ?? 0,
        },
      ]
    : []
  return { update_id: updates, message: { ...message, text: what.text, entities } } as Update
}

/** A run that waits for an approval, with ids in the places of the samples'. */
async function heldRun(personId: string | null) {
  const run = await startRun(
    api.deps,
    machine,
    [
      { key: 'a', command: 'touch x' },
      { key: 'b', command: 'touch y' },
    ],
    personId,
  )
  const [approval] = await api.db.query<{ id: string; code: string }>(
    'SELECT id, code FROM approval WHERE run_id = $1',
    [run.id],
  )
  const memory = await putMemory(api.deps, { text: `of ${run.id}`, personId })
  return { ...run, memory, approvalId: approval?.id ?? '', code: approval?.code ?? '' }
}

describe('taps and commands', () => {
  test.each(pairs.filter(({ role }) => role !== null))('of $role, own runs: $own', async ({ role, own }) => {
    const person = await somebody(role)
    const other = await somebody('operator')
    const run = await heldRun(own ? person.id : other.id)
    const wrong: string[] = []
    const look = async (
      method: string,
      update: Update,
      before: (tx: Tx) => Promise<void> = async () => {},
    ) => {
      const expected = may(role, method, own)
      let was: unknown
      const { text, is } = await handled(
        update,
        async (tx) => {
          await before(tx)
          was = await worldOf(tx)
        },
        async (tx) => ({ text: await said(tx), is: await worldOf(tx) }),
      )
      const isRefused = refused.test(text)
      if (isRefused === expected) wrong.push(`${method}: ${text.slice(-200)}`)
      if (!expected && JSON.stringify(was) !== JSON.stringify(is)) wrong.push(`${method} changed something`)
    }
    for (const sample of taps) {
      const text = JSON.stringify(sample)
        .replaceAll(RUN, run.id)
        .replaceAll(APPROVAL, run.approvalId)
        .replaceAll(TASK, run.tasks.a ?? '')
        .replaceAll(AGENT, machine.agentId)
        .replaceAll(ME, person.id)
        .replaceAll(String(MEMORY), String(run.memory))
      const action = ButtonAction.parse(JSON.parse(text))
      await look(methodOf(action), updateOf(person.telegramId, { data: buttonId(action) }), (tx) =>
        storeButtons(tx, [[{ text: 'x', action }]]),
      )
    }
    const words: Record<string, string> = {
      approve: run.code,
      deny: run.code,
      run: 'ls',
      plan: 'list files',
      policy: 'ls',
      use: 'laptop',
      pair: '',
    }
    for (const { name } of commands) {
      if (name === 'pair') continue
      const text = `/${name} ${words[name] ?? `#${run.number}`}`.trim()
      await look(`/${name}`, updateOf(person.telegramId, { text }))
      await look(
        `/${name}`,
        updateOf(person.telegramId, { text: text.replace(`/${name}`, `/${name}@skynet_bot`) }),
      )
      // A command ends where Telegram says, not only at a space.
      if (!may(role, `/${name}`, own))
        for (const end of [',', '-', '\u200b ', '@skynet_bot.'])
          await look(
            `/${name}`,
            updateOf(person.telegramId, { text: text.replace(`/${name}`, `/${name}${end}`) }),
          )
    }
    await look('text that asks for work', updateOf(person.telegramId, { text: 'please list the files' }))
    expect(wrong).toEqual([])
  })

  test('a stranger reaches none of them', async () => {
    const stranger = await somebody(null)
    const run = await heldRun(null)
    for (const sample of taps) {
      const action = ButtonAction.parse(
        JSON.parse(JSON.stringify(sample).replaceAll(APPROVAL, run.approvalId).replaceAll(RUN, run.id)),
      )
      const text = await handled(
        updateOf(stranger.telegramId, { data: buttonId(action) }),
        (tx) => storeButtons(tx, [[{ text: 'x', action }]]),
        said,
      )
      expect(text).toBe('')
    }
  })
})

// --- endpoints, by a token of a person ---------------------------------------------------------------------------

/** Status and code of an answer; a stream is left as soon as it begins. */
async function call(method: string, url: string, token: string): Promise<{ status: number; code: string }> {
  const abort = new AbortController()
  const response = await fetch(`${api.url}${url}`, {
    method,
    signal: abort.signal,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: '{}' } : {}),
  })
  const code =
    response.status >= 400
      ? (((await response.json()) as { error?: { code: string } }).error?.code ?? '')
      : ''
  abort.abort()
  return { status: response.status, code }
}

describe('endpoints', () => {
  test.each(pairs)('by a token of $role with every scope, own runs: $own', async ({ role, own }) => {
    const person = await somebody(role)
    const run = await heldRun(own ? person.id : (await somebody('operator')).id)
    const token = await newApiToken(api.db, `of ${person.id}`, ['admin'], person.id)
    const wrong: string[] = []
    for (const { method, url } of routes) {
      const ids = url.includes('/runs/')
        ? run.id
        : url.includes('/memory/')
          ? String(run.memory)
          : url.includes('/approvals/')
            ? run.approvalId
            : (run.tasks.a ?? '')
      const name = `${method} ${url}`
      // Which run it is about is known once its body is right: cancel and the like need none.
      const steersOther = steers.includes(name) && !own && role === 'operator' && url.endsWith('skip')
      if (steersOther) continue
      const { status, code } = await call(method, url.replace(':id', ids), token)
      if ((status === 403 && code === 'FORBIDDEN') === may(role, name, own))
        wrong.push(`${name}: ${status} ${code}`)
    }
    expect(wrong).toEqual([])
  })

  test('leaving a step out of another one’s run is not an operator’s', async () => {
    const person = await somebody('operator')
    const run = await heldRun((await somebody('operator')).id)
    const token = await newApiToken(api.db, `skip ${person.id}`, ['operate'], person.id)
    const { status, body } = await api.post(`/v1/runs/${run.id}/skip`, { task_id: run.tasks.a }, { token })
    expect([status, body.error.code]).toEqual([403, 'FORBIDDEN'])
  })

  test('a role that is taken away is taken from the token as well, once what is remembered is over', async () => {
    const person = await somebody('approver')
    const token = await newApiToken(api.db, `gone ${person.id}`, ['operate', 'read'], person.id)
    await setRole(api.db, person.id, null, null)
    expect((await api.get('/v1/runs', { token })).status).toBe(403)
  })

  test('scopes still hold: an owner’s token with scope read operates nothing', async () => {
    const person = await somebody('owner')
    const token = await newApiToken(api.db, `reads ${person.id}`, ['read'], person.id)
    expect((await api.get('/v1/runs', { token })).status).toBe(200)
    expect((await api.post('/v1/plan', { request: 'list files' }, { token })).status).toBe(403)
  })
})

// --- where they may act ------------------------------------------------------------------------------------------

describe('a person who may act on one machine only', () => {
  test('starts, decides and steers nothing elsewhere: chat, token and planner alike', async () => {
    const person = await somebody('approver')
    const mine = await addMachine(api.deps, { name: 'mine' })
    await setEntitlement(api.db, person.id, { kind: 'machine', target: mine.agentId, on: true }, null)
    const token = await newApiToken(api.db, `there ${person.id}`, ['operate', 'read'], person.id)
    const theirs = await heldRun(null)
    const [approval] = await api.db.query<{ plan_hash: string }>(
      'SELECT plan_hash FROM approval WHERE id = $1',
      [theirs.approvalId],
    )
    const decision = { decision: 'approve', plan_hash: approval?.plan_hash }
    const refusals = [
      await api.post(`/v1/approvals/${theirs.approvalId}/decide`, decision, { token }),
      await api.post(
        `/v1/approvals/${theirs.approvalId}/decide`,
        { ...decision, decision: 'deny' },
        { token },
      ),
      await api.post(`/v1/runs/${theirs.id}/cancel`, {}, { token }),
      await api.post(
        '/v1/execute',
        { action: 'shell', params: { command: 'ls' }, agent_id: 'laptop', cwd: '/work' },
        { token },
      ),
    ]
    expect(refusals.map(({ status, body }) => [status, body.error?.code])).toEqual(
      refusals.map(() => [403, 'NOT_ENTITLED']),
    )
    expect((await states(api.deps, theirs.id)).run).toBe('awaiting_approval')
    const said = await handledTap(person.telegramId, { do: 'cancel', runId: theirs.id })
    expect(said).toContain('You may not act on laptop')
    const planned = await startRun(api.deps, machine, [{ key: 'a', command: 'sleep 1' }], person.id)
    expect((await states(api.deps, planned.id)).run).toBe('refused')
    const own = await startRun(api.deps, mine, [{ key: 'a', command: 'sleep 1' }], person.id)
    expect((await states(api.deps, own.id)).run).toBe('running')
  })
})

describe('a person who may act in one chat only', () => {
  test('asks, decides and steers nothing elsewhere, and still looks', async () => {
    const person = await somebody('owner')
    await setEntitlement(api.db, person.id, { kind: 'chat', target: '-4242', on: true }, null)
    const theirs = await heldRun(null)
    for (const action of [
      { do: 'cancel', runId: theirs.id },
      { do: 'add_machine' },
      { do: 'say', text: 'list files' },
    ] as ButtonAction[])
      expect(await handledTap(person.telegramId, action)).toContain('You may not act in this chat')
    for (const text of ['/run ls', `/approve ${theirs.code}`, `/cancel #${theirs.number}`, 'list the files'])
      expect(await handled(updateOf(person.telegramId, { text }), async () => {}, said)).toContain(
        'You may not act in this chat',
      )
    expect(await handled(updateOf(person.telegramId, { text: '/status' }), async () => {}, said)).toContain(
      'Machines:',
    )
    const token = await newApiToken(api.db, `chat ${person.id}`, ['admin'], person.id)
    expect((await api.post('/v1/plan', { request: 'list files' }, { token })).body.error.code).toBe(
      'NOT_ENTITLED',
    )
    expect((await api.post(`/v1/runs/${theirs.id}/cancel`, {}, { token })).body.error.code).toBe(
      'NOT_ENTITLED',
    )
  })
})

const handledTap = (telegramId: number, action: ButtonAction): Promise<string> =>
  handled(
    updateOf(telegramId, { data: buttonId(action) }),
    (tx) => storeButtons(tx, [[{ text: 'x', action }]]),
    said,
  )
