import { describe, expect, test } from 'vitest'
import { needsDocument, renderApproval } from '../../../bot/render/approvalCard.ts'
import { ButtonAction, type Buttons, buttonId } from '../../../bot/render/buttons.ts'
import { plain } from '../../../bot/render/html.ts'
import { renderOutcome } from '../../../bot/render/outcomeCard.ts'
import { asMessage, planText } from '../../../bot/render/planText.ts'
import { renderRunCard } from '../../../bot/render/runCard.ts'
import { renderMilestone } from '../../../bot/render/smallCards.ts'
import type { Shown } from '../../../bot/render/words.ts'
import type { TaskView } from '../../../core/runs/viewRun.ts'
import { parseHtml } from '../../../playground/parseHtml.ts'
import { approval, HASH, now, ran, result, run, task, verdict } from './runs.ts'

/** The card as a person reads it, with its buttons. */
function read(shown: Shown): string[] {
  const html = shown.html.replace(/[\u0001\u0002]/g, '')
  expect(parseHtml(html).text).toBe(plain(html))
  return [
    ...plain(html).split('\n'),
    ...shown.buttons.map((row: Buttons[number]) => row.map((b) => `[${b.text}]`).join(' ')),
  ]
}
const log = (text: string, taskKey = '1') => ({ taskKey, stream: 'stdout', text, at: now })

describe('the approval card', () => {
  const clean = task('2', {
    command: 'rm -rf dist',
    verdict: verdict({ risk: 'high', rule: 'fs.delete-tree', reason: 'deletes what git cannot restore' }),
  })
  const look = task('1', {
    command: 'git status',
    verdict: verdict({ verdict: 'allow', risk: 'low', rule: 'git.look' }),
  })
  const plan = run({
    status: 'awaiting_approval',
    summary: 'Clean up',
    tasks: [look, clean],
    approvals: [approval({ risk: 'high' })],
  })

  test('says what a step can reach: where nothing confines it, and what secrets it is given', () => {
    const free = {
      ...clean,
      confined: false,
      spec: { ...clean.spec, network: true, secrets: ['DEPLOY_TOKEN', 'X_Y'] },
    }
    const shown = read(
      renderApproval(
        run({ status: 'awaiting_approval', tasks: [free], approvals: [approval()] }),
        approval(),
        { armed: false },
      ),
    )
    expect(shown).toContain('network yes · ⚠️ not confined')
    expect(shown).toContain('🔑 is given DEPLOY_TOKEN, X_Y')
    const theirs = { ...clean, confined: null }
    expect(
      read(
        renderApproval(
          run({ status: 'awaiting_approval', tasks: [theirs], approvals: [approval()] }),
          approval(),
          { armed: false },
        ),
      ),
    ).toContain('network no')
  })

  test('says code, risk, worst command and place first, then each step that asks, then what is allowed', () => {
    expect(read(renderApproval(plan, approval({ risk: 'high' }), { armed: false }))).toEqual([
      '❓ K7 HIGH: rm -rf dist',
      'on laptop:~/api · #12 v1 · Ana',
      'Clean up · 1 of 2 steps asks',
      '',
      '2 rm -rf dist',
      'high · rule fs.delete-tree',
      'deletes what git cannot restore',
      'network no · confined',
      'Allowed:',
      '1 git status · low',
      'until 2026-05-05 14:03 UTC · 9f3a12',
      '[Approve]',
      '[Deny] [Details]',
      '[Revise] [More…]',
    ])
  })

  test('what a lock screen shows holds code, risk, command and place, however long the command is', () => {
    for (const command of ['rm x', `npm install ${'left-pad '.repeat(40)}`]) {
      const long = run({
        status: 'awaiting_approval',
        kind: 'command',
        request: command,
        tasks: [task('1', { command })],
      })
      const glance = read(renderApproval(long, approval(), { armed: false }))
        .join('\n')
        .slice(0, 90)
      expect(glance).toMatch(/^❓ K7 MEDIUM: (rm x|npm install left-pad .+…)\non laptop:~\/api/)
    }
  })

  test('places are code, so that no client takes a path for a command', () => {
    expect(renderApproval(plan, approval(), { armed: false }).html).toContain('<code>laptop:~/api</code>')
  })

  test('steps that ask for the same reason say it once', () => {
    const both = run({ tasks: [task('1', { command: 'npm test' }), task('2', { command: 'npm run lint' })] })
    const lines = read(renderApproval(both, approval(), { armed: false }))
    expect(lines.filter((line) => line.startsWith('medium · rule'))).toHaveLength(1)
    expect(lines).toEqual(expect.arrayContaining(['1 npm test', '2 npm run lint']))
  })

  test('a patch is a diff under the name of its file', () => {
    const patch = '--- a/src/a.js\n+++ b/src/a.js\n@@ -1 +1 @@\n-1 < 2\n+2\n'
    const patching = task('1', { action: 'file_patch' })
    patching.spec = { ...patching.spec, action: 'file_patch', params: { patch } } as typeof patching.spec
    const shown = renderApproval(run({ tasks: [patching] }), approval(), { armed: false })
    expect(read(shown)[0]).toBe('❓ K7 MEDIUM: patch src/a.js')
    expect(shown.html).toContain('<pre><code class="language-diff">--- a/src/a.js')
    expect(shown.html).toContain('-1 &lt; 2')
  })

  test('high risk takes a second tap, which names the machine', () => {
    const armed = renderApproval(plan, approval({ risk: 'high' }), { armed: true })
    expect(read(armed).slice(-2)).toEqual(['[Yes, on laptop]', '[Back]'])
  })

  test('once answered it is a record without buttons', () => {
    const decided = approval({
      status: 'approved',
      decidedAt: now,
      decisions: [{ name: 'Ana', decision: 'approved', at: now }],
    })
    const shown = renderApproval(plan, decided, { armed: false })
    expect(read(shown)[0]).toBe('✓ K7 approved by Ana · 14:03 UTC')
    expect(shown).toMatchObject({ buttons: [], settled: true })
    const replaced = renderApproval(
      { ...plan, planHash: 'f'.repeat(64), planVersion: 2 },
      approval({ status: 'superseded' }),
      { armed: false },
    )
    expect(read(replaced)).toEqual(['K7 replaced by v2, below', '#12 · plan 9f3a12'])
  })

  test('what does not fit is sent whole as a document', () => {
    const command = `echo ${'x'.repeat(700)}\u202e`
    const long = run({ tasks: [task('1', { command })] })
    expect(needsDocument(plan)).toBe(false)
    expect(needsDocument(long)).toBe(true)
    expect(read(renderApproval(long, approval(), { armed: false }))).toContain(
      'shown whole in the document above',
    )
    expect(planText(long, approval())).toContain(`${'x'.repeat(700)}⟨U+202E⟩`)
    expect(planText(long, approval())).toContain(HASH)
    expect(asMessage('a <b> & c\n')).toBe('<pre>a &lt;b&gt; &amp; c</pre>')
    expect(asMessage('x'.repeat(3001))).toBeNull()
    expect(asMessage('x\n'.repeat(61))).toBeNull()
  })
})

describe('the live card', () => {
  const tasks = [
    ran('1', 12, { title: 'install' }),
    task('2', { title: 'unit tests', status: 'running', startedAt: new Date(now.getTime() - 80_000) }),
    task('3', { title: 'report', status: 'blocked', dependsOn: ['2'] }),
  ]
  const live = run({ tasks })
  const context = {
    now,
    tail: [log('a\nb\nc\n✓ auth.test.ts (14)\n', '2')],
    outcomeBelow: false,
    canFix: false,
  }

  test('names the run, the place, each step and the last three lines', () => {
    expect(read(renderRunCard(live, context))).toEqual([
      '▶️ #12 running · 1:42',
      'Run the tests · laptop:~/api · Ana',
      '✓ 1 install · 12 s',
      '▶ 2 unit tests · 1:20',
      '○ 3 report · after 2',
      '▰▰▰▱▱▱▱▱ 1 of 3',
      'b',
      'c',
      '✓ auth.test.ts (14)',
      'updated 14:03:22 UTC',
      '[Cancel] [Pause] [Logs]',
    ])
  })

  test('a line of its own for the place when one line would be too long for a phone', () => {
    const long = run({ tasks, summary: 'Run the tests and look at the lint' })
    expect(read(renderRunCard(long, context)).slice(1, 3)).toEqual([
      'Run the tests and look at the lint',
      'laptop:~/api · Ana',
    ])
  })

  test('a rewritten command is the one that is shown', () => {
    const rewritten = run({
      kind: 'command',
      request: 'npm test',
      tasks: [task('1', { command: 'npm run test:unit' })],
    })
    expect(read(renderRunCard(rewritten, context))[1]).toContain('npm run test:unit')
  })

  test('points below while something there is asked or told', () => {
    expect(read(renderRunCard({ ...live, status: 'awaiting_approval' }, context))[0]).toBe(
      '❓ #12 awaiting approval · below',
    )
    const ended = { ...live, status: 'succeeded' as const, endedAt: now }
    const shown = renderRunCard(ended, { ...context, outcomeBelow: true })
    expect(read(shown)[0]).toBe('✅ #12 succeeded · outcome below')
    expect(shown).toMatchObject({ buttons: [], settled: true })
  })

  test('says why nothing moves', () => {
    const offline = run({
      tasks: [task('1', { connected: false, disconnectedAt: new Date('2026-05-04T09:14:00Z') })],
    })
    expect(read(renderRunCard(offline, context))).toEqual(
      expect.arrayContaining(['⏳ #12 waiting · 1:42', 'laptop is offline since 09:14 UTC']),
    )
    const waits = (waiting: TaskView['waiting']) =>
      read(renderRunCard(run({ tasks: [task('1', { waiting })] }), context))
    expect(waits({ for: 'gateway', name: 'home' })).toContain('gateway home does not answer')
    expect(waits({ for: 'slots', name: 'laptop', held: 16 })).toContain('laptop is busy: 16 tasks at work')
    const holder = { run: 9, key: '2', title: 'build' }
    expect(waits({ for: 'file', path: '/work/dist', holder })).toContain(
      'waits for /work/dist, held by #9 step 2',
    )
    expect(waits({ for: 'turn' })[0]).toBe('▶️ #12 running · 1:42')
    const cancelling = read(renderRunCard({ ...live, status: 'cancelling' }, context))
    expect(cancelling[0]).toBe('⏹ #12 cancelling · 1:42')
    expect(cancelling).toContain('waiting until the machine confirms that everything has stopped')
    expect(cancelling.filter((line) => line.startsWith('['))).toEqual([])
  })
})

describe('the outcome', () => {
  const ended = { endedAt: now, startedAt: new Date(now.getTime() - 91_000) }

  test('of a success: counts, what changed, what it cost', () => {
    const done = run({
      ...ended,
      status: 'succeeded',
      tasks: [
        ran('1', 3, { action: 'file_patch', result: result({ changed: ['/home/ana/api/src/a.js'] }) }),
        ran('2', 5, { result: result({ summary: '# pass 212\n# fail 0' }) }),
      ],
    })
    expect(read(renderOutcome(done, { now, canFix: true, tail: [log('all good\n', '2')] }))).toEqual([
      '✅ #12 succeeded · 1:31',
      'Run the tests · laptop:~/api',
      '212 passed',
      'Changed: src/a.js',
      'all good',
      'playbook run-tests · no model used',
      '[Log] [Run again]',
    ])
  })

  test('of a failure: where, how many, which, what was done and not', () => {
    const failed = run({
      ...ended,
      status: 'failed',
      tasks: [
        ran('1', 1),
        ran('2', 9, {
          status: 'failed',
          error: { code: 'EXIT', message: 'exit 1' },
          result: result({ exit_code: 1, summary: '# pass 209\n# fail 3' }),
        }),
        task('3', { status: 'skipped' }),
      ],
    })
    const tap =
      "TAP version 13\nnot ok 1 - expired token\n  ---\n  location: '/a/auth.test.ts:41:3'\n  error: 'no'\n  ...\n1..1\n"
    expect(
      read(renderOutcome(failed, { now, canFix: true, tail: [log('noise\n', '1'), log(tap, '2')] })),
    ).toEqual([
      '❌ #12 failed at step 2 · 1:31',
      'Run the tests · laptop:~/api',
      '3 of 212 fail, exit 1',
      'auth.test.ts:41 expired token',
      'Done 1 · not run 3',
      'no',
      'playbook run-tests · no model used',
      '[Retry step 2] [Run again]',
      '[Plan a fix] [Log]',
    ])
  })

  test('of a refusal: the rule, and no button that runs it', () => {
    const refused = run({
      kind: 'command',
      request: 'rm -rf /',
      status: 'refused',
      tasks: [
        task('1', {
          command: 'rm -rf /',
          verdict: verdict({ verdict: 'deny', risk: 'critical' }),
          status: 'cancelled',
        }),
      ],
      error: {
        code: 'refused',
        message: 'deletes a home, a root or the system',
        rule: 'floor.delete-root',
        risk: 'critical',
      } as never,
    })
    expect(read(renderOutcome(refused, { now, canFix: true, tail: [] }))).toEqual([
      '⛔ #12 refused',
      'rm -rf / · laptop:~/api',
      'critical · rule floor.delete-root',
      'deletes a home, a root or the system',
      'No approval can lift this.',
    ])
  })
})

test('progress in plain words: what is done with what came out of it, what has begun, which part of the plan it is', () => {
  const milestones = [
    {
      key: 'prove',
      title: 'See it pass',
      startedAt: new Date(now.getTime() - 12_000),
      endedAt: now,
      outcome: 'succeeded',
    },
    { key: 'fix', title: 'Mend it', startedAt: now, endedAt: null, outcome: null },
    { key: 'report', title: 'Report', startedAt: null, endedAt: null, outcome: null },
  ]
  const plan = run({
    status: 'running',
    milestones,
    tasks: [
      ran('1', 1, { title: 'The patch', milestone: 'fix' }),
      ran('2', 1, { title: 'Tests', milestone: 'prove', result: result({ summary: '# pass 6\n# fail 0' }) }),
      ran('3', 1, {
        title: 'Diff',
        milestone: 'prove',
        action: 'git_diff',
        result: result({ summary: 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n' }),
      }),
    ],
  })
  expect(read(renderMilestone(plan, 'prove', null))).toEqual([
    '🚩 #12 part 2 of 3 · Run the tests',
    '✓ See it pass is done (12 s): 6 passed, +1 −1',
    '▶ Mend it has begun: The patch',
  ])
  expect(read(renderMilestone(plan, 'prove', 'fix'))).toEqual([
    '🏁 #12 part 1 of 3 · Run the tests',
    '✓ See it pass is done (12 s): 6 passed, +1 −1',
  ])
  expect(renderMilestone(plan, 'prove', null).settled).toBe(false)
  expect(renderMilestone(plan, 'prove', 'fix').settled).toBe(true)
})

test('a button keeps its id, which fits what Telegram carries', () => {
  const action = ButtonAction.parse({ do: 'say', text: 'x'.repeat(1000) })
  expect(buttonId(action)).toBe(buttonId(action))
  expect(buttonId(action)).toHaveLength(22)
  expect(buttonId({ do: 'answer', value: 'x' })).toMatch(/^A\./)
})
