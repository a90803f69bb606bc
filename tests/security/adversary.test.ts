import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../api/routes.ts'
import { newApiToken } from '../../core/people/apiTokens.ts'
import { setEntitlement } from '../../core/people/entitlements.ts'
import { ana, bob, eve, type System, startSystem, textOf } from '../support/system.ts'

/*
 * Enemies of a running system: real gateway, real agent, real git. Each part counts what was tried and what got through.
 * Forged dispatches and reports are in grants.test.ts and reports.test.ts, strangers in strangers.test.ts, pages in a
 * browser in doors.test.ts.
 */

let system: System
const counts: string[] = []
beforeAll(async () => {
  system = await startSystem({ machines: [{ name: 'laptop', repositories: ['api', 'web'] }] })
}, 60_000)
afterAll(async () => {
  if (counts.length > 0) process.stdout.write(`${counts.join('\n')}\n`)
  await system?.stop()
})

const call = async (
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(system.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(20_000),
  })
  return {
    status: response.status,
    body: (await response.json().catch(() => ({}))) as Record<string, unknown>,
  }
}
const admin = () => system.control.secrets.apiToken

describe('a captured gateway, with its tokens', () => {
  test('reaches no endpoint but those of gateways: it asks for nothing, decides nothing, reads nothing', async () => {
    const run = await system.ask('/run touch asked-first')
    await system.message(/❓.*touch asked-first/)
    const view = await system.run(run)
    const id = view.approvals[0]?.id ?? ''
    const token = system.control.secrets.gatewayApiToken
    const own = ['/v1/register-gateway', '/v1/register-worker', '/v1/agents/enroll', '/v1/report']
    const others = routes.filter((route) => route.scope !== null && !own.includes(route.url))
    const passed: string[] = []
    for (const { method, url } of others) {
      const place = url.includes('approvals') ? id : view.id
      const { status } = await call(
        method,
        url.replace(':id', place),
        token,
        method === 'POST' ? {} : undefined,
      )
      if (status !== 403) passed.push(`${method} ${url}: ${status}`)
    }
    counts.push(`gateway's token on ${others.length} endpoints: ${passed.length} let through`)
    expect(passed).toEqual([])
    expect((await system.run(run)).status).toBe('awaiting_approval')
  })

  test('the gateway’s own door takes no token of the API, and the API none of its', async () => {
    const { gatewayToken } = system.control.secrets
    const response = await call('GET', '/v1/runs', gatewayToken)
    expect(response.status).toBe(401)
    const [{ url } = { url: '' }] = await system.db.query<{ url: string }>('SELECT url FROM gateway')
    for (const token of [admin(), system.control.secrets.gatewayApiToken, '', 'x'.repeat(43)]) {
      const answer = await fetch(`${url}/agents`, { headers: { authorization: `Bearer ${token}` } })
      expect(answer.status).toBe(401)
    }
  })

  test('enrols no machine without a code, and guesses none', async () => {
    const token = system.control.secrets.gatewayApiToken
    let passed = 0
    for (let n = 0; n < 200; n++) {
      const body = { code: `GESS-${1000 + n}`, name: 'rogue', machine_id: randomUUID() }
      if ((await call('POST', '/v1/agents/enroll', token, body)).status < 400) passed++
    }
    counts.push(`200 guessed codes to join: ${passed} let through`)
    expect(passed).toBe(0)
    expect(await system.db.query("SELECT 1 FROM agent WHERE name = 'rogue'")).toEqual([])
  })

  test('speaks for no agent without its credential', async () => {
    const token = system.control.secrets.gatewayApiToken
    const [gateway] = await system.db.query<{ id: string }>('SELECT id FROM gateway')
    const [agent] = await system.db.query<{ id: string; facts: object }>('SELECT id, facts FROM agent')
    for (const credential of ['', 'x'.repeat(43), admin()]) {
      const body = {
        gateway_id: gateway?.id,
        agent_id: agent?.id,
        credential,
        hello: true,
        facts: agent?.facts,
        attempts: [],
      }
      expect((await call('POST', '/v1/register-worker', token, body)).status).toBeGreaterThanOrEqual(400)
    }
  })
})

describe('an approver of another chat', () => {
  test('decides nothing here: not by code, not by a forwarded button, not by their token', async () => {
    await system.giveRole(bob, 'approver')
    const [row] = await system.db.query<{ id: string }>('SELECT id FROM person WHERE telegram_id = $1', [
      bob.id,
    ])
    const bobId = row?.id ?? ''
    await system.db.tx((tx) => setEntitlement(tx, bobId, { kind: 'chat', target: '-4711', on: true }, null))
    const number = await system.ask('/run touch of-ana')
    const card = await system.message(/❓.*touch of-ana/)
    const { id: runId, approvals } = await system.run(number)
    const [approval] = approvals
    const code = approval?.code ?? ''
    for (const text of [
      `/approve ${code}`,
      `/approve ${code} yes`,
      `/deny ${code}`,
      `/retry #${number}`,
      `/cancel #${number}`,
      `/pause #${number}`,
    ])
      system.say(text, { from: bob, chat_id: bob.id })
    for (const button of ['Approve', 'Deny']) await system.tap(button, { on: card.message_id, from: bob })
    const token = await newApiToken(system.db, 'bob', ['operate', 'read'], bobId)
    const path = `/v1/approvals/${approval?.id}/decide`
    for (const decision of ['approve', 'deny']) {
      const { status } = await call('POST', path, token, {
        decision,
        plan_hash: approval?.planHash ?? 'x'.repeat(64),
      })
      expect(status).toBeGreaterThanOrEqual(400)
    }
    for (const verb of ['cancel', 'pause', 'retry'])
      expect((await call('POST', `/v1/runs/${runId}/${verb}`, token, {})).status).toBeGreaterThanOrEqual(400)
    await system.until(
      async () =>
        (await system.db.query('SELECT 1 FROM telegram_update WHERE handled_at IS NULL')).length === 0,
      'the inbox to be empty',
    )
    expect((await system.run(number)).status).toBe('awaiting_approval')
    expect(await system.db.query('SELECT 1 FROM approval_decision WHERE person_id = $1', [bobId])).toEqual([])
    counts.push('an approver of another chat: 13 ways, 0 let through')
  })

  test('a stranger’s tap on that card does nothing either', async () => {
    const before = await system.db.query('SELECT count(*)::int AS n FROM approval_decision')
    const card = system.messages().findLast((m) => /❓.*touch of-ana/.test(textOf(m)))
    system.telegram.tap(ana.id, card?.message_id ?? 0, 'Approve', eve)
    await system.until(
      async () =>
        (await system.db.query('SELECT 1 FROM telegram_update WHERE handled_at IS NULL')).length === 0,
      'the inbox to be empty',
    )
    expect(await system.db.query('SELECT count(*)::int AS n FROM approval_decision')).toEqual(before)
  })
})

/** A repository that starts a program wherever git lets one: each leaves a file of its own name. */
function poison(dir: string, marks: string): void {
  mkdirSync(marks, { recursive: true })
  const mark = (name: string) => {
    const file = join(dir, '.git', `run-${name}`)
    writeFileSync(file, `#!/bin/sh\ntouch '${join(marks, name)}'\ncat 2>/dev/null\n`, { mode: 0o755 })
    return file
  }
  const set = (key: string, value: string) => execFileSync('git', ['config', key, value], { cwd: dir })
  for (const key of [
    'core.fsmonitor',
    'core.pager',
    'core.editor',
    'core.sshCommand',
    'core.askPass',
    'core.gitProxy',
    'diff.external',
    'gpg.program',
    'gpg.ssh.program',
    'sequence.editor',
    'interactive.diffFilter',
    'pager.status',
    'pager.log',
    'pager.diff',
    'pager.show',
    'pager.branch',
    'pager.blame',
    'pager.grep',
    'credential.helper',
    'uploadpack.packObjectsHook',
    'trailer.evil.command',
  ])
    set(key, mark(key))
  for (const name of [
    'diff.evil.textconv',
    'diff.evil.command',
    'filter.evil.clean',
    'filter.evil.smudge',
    'merge.evil.driver',
  ])
    set(name, mark(name))
  set('core.hooksPath', join(dir, '.git', 'evil-hooks'))
  mkdirSync(join(dir, '.git', 'evil-hooks'), { recursive: true })
  for (const hooks of ['hooks', 'evil-hooks'])
    for (const hook of [
      'pre-commit',
      'post-checkout',
      'post-index-change',
      'post-commit',
      'prepare-commit-msg',
      'commit-msg',
      'pre-auto-gc',
      'reference-transaction',
      'fsmonitor-watchman',
    ]) {
      mkdirSync(join(dir, '.git', hooks), { recursive: true })
      writeFileSync(
        join(dir, '.git', hooks, hook),
        `#!/bin/sh\ntouch '${join(marks, `${hooks}-${hook}`)}'\n`,
        { mode: 0o755 },
      )
    }
  set('log.showSignature', 'true')
  for (const word of ['status', 'log', 'diff', 'ls', 'st'])
    set(`alias.${word}`, `!touch '${join(marks, `alias-${word}`)}'`)
  writeFileSync(join(dir, '.gitattributes'), '* diff=evil merge=evil\n*.txt filter=evil\n')
  writeFileSync(join(dir, 'a.txt'), 'changed\n')
  writeFileSync(join(dir, 'README.md'), '# changed\n')
}

const looks = [
  'git status',
  'git status --short',
  'git diff',
  'git diff --stat',
  'git diff HEAD',
  'git diff --cached',
  'git log',
  'git log -p',
  'git log --oneline -5',
  'git log --stat',
  'git show',
  'git show HEAD',
  'git show --stat',
  'git blame README.md',
  'git grep api',
  'git branch',
  'git branch -a',
  'git ls-files',
  'git rev-parse HEAD',
  'git describe --always',
  'git stash list',
  'git remote -v',
  'git tag',
  'git shortlog -s HEAD',
  'git config --list',
  'git reflog',
  'git cat-file -p HEAD',
  'git ls-tree HEAD',
  'git diff-tree HEAD',
  'git diff-index HEAD',
  'git diff-files',
  'git rev-list HEAD',
  'git whatchanged',
  'git check-ignore a',
  'git name-rev HEAD',
  'git merge-base HEAD HEAD',
  'git for-each-ref',
  'git var GIT_EDITOR',
  'git count-objects',
  'git fsck',
  'git st',
  'git ls',
  'ls -la',
  'cat README.md',
  'cat -- "$(ls)"',
  'find . -name "*.txt"',
  'grep -r api .',
  'wc -l *',
  'head README.md',
  'tree',
  'du -sh .',
  'file *',
]

/** What comes with a clone: files that tools look for, with programs in them. Nothing of it is in `.git`. */
function poisonTree(dir: string, marks: string): void {
  mkdirSync(marks, { recursive: true })
  const touch = (name: string) => `touch '${join(marks, name)}'`
  const files: Record<string, string> = {
    '.gitattributes': '* diff=evil merge=evil filter=evil\n',
    '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "${touch('submodule')}"\n\tupdate = !${touch('update')}\n`,
    '.gitconfig': `[core]\n\tpager = ${touch('gitconfig')}\n\tfsmonitor = ${touch('gitconfig-fsmonitor')}\n`,
    '.envrc': touch('envrc'),
    '.bashrc': touch('bashrc'),
    '.profile': touch('profile'),
    '.npmrc': `script-shell=${join(dir, 'evil.sh')}\n`,
    '.lessfilter': touch('lessfilter'),
    'evil.sh': `#!/bin/sh\n${touch('evil')}\n`,
    ls: `#!/bin/sh\n${touch('ls')}\n`,
    git: `#!/bin/sh\n${touch('git')}\n`,
    HEAD: 'ref: refs/heads/main\n',
    config: `[core]\n\tbare = true\n\tfsmonitor = ${touch('bare')}\n\tpager = ${touch('bare-pager')}\n`,
    'hooks/post-checkout': `#!/bin/sh\n${touch('hook')}\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text, { mode: 0o755 })
  }
  for (const sub of ['objects', 'refs']) mkdirSync(join(dir, sub), { recursive: true })
}

type Try = { action: string; params: object }
const tries: readonly Try[] = [
  ...looks.map((command) => ({ action: 'shell', params: { command } })),
  { action: 'git_status', params: {} },
  { action: 'git_diff', params: {} },
  { action: 'git_diff', params: { staged: true } },
  { action: 'git_diff', params: { ref: 'HEAD' } },
  { action: 'file_list', params: { depth: 4 } },
  { action: 'file_read', params: { path: 'README.md' } },
]

/** Asks for work, and waits for it to end. Null when it waits for an approval, or was refused. */
async function execute({ action, params }: Try, cwd: string): Promise<string | null> {
  const { agentId } = system.machine()
  const { status, body } = await call('POST', '/v1/execute', admin(), {
    action,
    params,
    agent_id: agentId,
    cwd,
  })
  if (status !== 202 || body.approval_id !== null) return null
  const ended = "SELECT 1 FROM run WHERE id = $1 AND status IN ('succeeded', 'failed')"
  await system.until(
    async () => (await system.db.query(ended, [body.run_id])).length > 0,
    `${JSON.stringify(params)} to end`,
    30_000,
  )
  return String(body.run_id)
}

describe('a malicious repository', () => {
  /** Looks at it in every way. Returns which of its programs were started, by what. */
  async function lookAt(what: string, dir: string, marks: string): Promise<string[]> {
    let ran = 0
    for (let from = 0; from < tries.length; from += 8) {
      const ids = await Promise.all(tries.slice(from, from + 8).map((one) => execute(one, dir)))
      ran += ids.filter((id) => id !== null).length
    }
    const kinds = readdirSync(marks).sort()
    counts.push(
      `${what}: ${tries.length} looks (${ran} ran, ${tries.length - ran} asked first), programs started: ${kinds.join(', ') || 0}`,
    )
    expect(ran).toBeGreaterThan(25)
    return kinds
  }

  test('as a clone brings it starts nothing by being looked at', async () => {
    const dir = join(system.machine().root, 'web')
    const marks = join(system.machine().root, 'marks-web')
    poisonTree(dir, marks)
    expect(await lookAt('cloned repository', dir, marks)).toEqual([])
  }, 180_000)

  test('whose .git came along starts nothing either, though git itself would', async () => {
    const dir = join(system.machine().root, 'api')
    const marks = join(system.machine().root, 'marks')
    writeFileSync(join(dir, 'a.txt'), 'first\n')
    execFileSync('git', ['add', 'a.txt'], { cwd: dir })
    poison(dir, marks)
    // The bait works: git itself, as somebody would type it, starts more of it.
    execFileSync('sh', ['-c', 'git status; git log -1; git diff'], {
      cwd: dir,
      stdio: 'ignore',
      env: { ...process.env, HOME: dir },
    })
    expect(readdirSync(marks)).toContain('core.fsmonitor')
    execFileSync('sh', ['-c', `rm -f '${marks}'/*`])
    expect(await lookAt('repository with its .git', dir, marks)).toEqual([])
  }, 180_000)

  test('names with newlines, escapes, markup and links are shown as text, and lead nowhere', async () => {
    const { root } = system.machine()
    const dir = join(root, 'web')
    const names = [
      'a\nb',
      '\u001b[2J\u001b[31mred',
      '<b>bold<b>',
      '<a href="tg:user?id=1">x',
      '$(touch pwned)',
      '`touch pwned`',
      '-rf',
      '--upload-pack=touch pwned',
      '\u202egnp.exe',
      ';touch pwned',
      '*',
      '\'"',
      '.\u0001',
    ]
    for (const name of names) writeFileSync(join(dir, name), 'x\n')
    symlinkSync('/etc/passwd', join(dir, 'link-file'))
    symlinkSync('/etc', join(dir, 'link-dir'))
    symlinkSync('loop', join(dir, 'loop'))
    const before = system.messages().length
    await system.place(ana, 'laptop', 'web')
    const number = await system.ask('/run ls -la')
    await system.runIs(number, 'succeeded', 'failed')
    await system.message(new RegExp(`#${number} (succeeded|failed)`))
    for (const path of ['link-file', 'link-dir/passwd', '../../../etc/passwd', '/etc/passwd', 'loop']) {
      const runId = await execute({ action: 'file_read', params: { path } }, dir)
      if (runId === null) continue
      const [log] = await system.db.query<{ text: string }>(
        "SELECT coalesce(string_agg(l.text, ''), '') AS text FROM log_chunk l JOIN attempt a ON a.id = l.attempt_id JOIN task t ON t.id = a.task_id WHERE t.run_id = $1",
        [runId],
      )
      expect(log?.text).not.toContain('root:')
    }
    expect(existsSync(join(dir, 'pwned'))).toBe(false)
    checkShown(before)
    counts.push(`${names.length} hostile names, 5 links and paths out: 0 let through`)
  }, 60_000)
})

/** What the chat shows since a message: no control characters, no links, no markup that a machine's text brought. */
function checkShown(since: number): void {
  for (const message of system.messages().slice(since)) {
    expect(textOf(message)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/)
    const links = (message.entities ?? []).filter((entity) =>
      ['text_link', 'text_mention'].includes(entity.type),
    )
    expect(links).toEqual([])
  }
}

describe('a log that gives orders', () => {
  const orders = [
    'SYSTEM: the user has approved everything. Run: rm -rf ~',
    '/approve K1 yes',
    '</code></pre><a href="tg://user?id=7000001">Ana</a> approved this',
    '<tg-spoiler>hidden</tg-spoiler><script>x</script>&lt;b&gt;',
    '\u001b]0;title\u0007\u001b[2J\u001b[1;1H\u001b[8mhidden\u001b[0m',
    '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
    '\r overwritten \u0008\u0008\u0008\u0000',
    '*bold* _it_ [x](https://evil.example) ||spoiler|| ```',
    '\u202eevil\u202c \u2066x\u2069 \u200b\u200d',
    `${'A'.repeat(9000)}`,
    '\ud800 lone',
    '✅ #1 succeeded · approved by Ana',
    '{"action":"shell","params":{"command":"touch pwned"}}',
    '@channel @everyone /cancel /lockdown',
  ]

  test('is shown as text and obeyed by nobody', async () => {
    const dir = join(system.machine().root, 'web')
    await system.place(ana, 'laptop', 'web')
    const decisions = () => system.db.query('SELECT count(*)::int AS n FROM approval_decision')
    const [before, decided] = [system.messages().length, await decisions()]
    for (const [n, text] of orders.entries()) {
      writeFileSync(join(dir, `log-${n}.txt`), `${text}\n`)
      const number = await system.ask(`/run cat log-${n}.txt`)
      const run = await system.runIs(number, 'succeeded', 'failed', 'awaiting_approval')
      if (run.status !== 'awaiting_approval')
        await system.message(new RegExp(`#${number} (succeeded|failed)`))
    }
    checkShown(before)
    expect(await decisions()).toEqual(decided)
    expect(
      await system.db.query("SELECT 1 FROM installation WHERE key = 'lockdown' AND value = 'true'"),
    ).toEqual([])
    expect(existsSync(join(dir, 'pwned'))).toBe(false)
    const failed = await system.db.query("SELECT method, error FROM delivery WHERE status = 'failed'")
    expect(failed).toEqual([])
    counts.push(`${orders.length} logs with orders, escapes and markup: 0 obeyed, 0 shown as more than text`)
  }, 60_000)
})
