import { beforeAll, describe, expect, test } from 'vitest'
import { renderApproval } from '../../../bot/render/approvalCard.ts'
import { renderOutcome } from '../../../bot/render/outcomeCard.ts'
import { renderRunCard } from '../../../bot/render/runCard.ts'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import type { Playbook } from '../../../core/planning/playbook.ts'
import { helpedOf } from '../../../core/recovery/countHelped.ts'
import { suggestFixes } from '../../../core/recovery/suggestFixes.ts'
import type { RecoveryView, RunView } from '../../../core/runs/viewRun.ts'
import { approval, now, ran, result, run, task, verdict } from './runs.ts'

const step = (more: Partial<RecoveryView> = {}): RecoveryView => ({
  id: '00000000-0000-4000-8000-0000000000ee',
  key: '2',
  rung: 'reduce',
  by: 'model',
  status: 'open',
  failure: 'timeout',
  cameOf: null,
  note: null,
  planVersion: null,
  ...more,
})
const card = (more: Partial<RunView>): string =>
  renderRunCard(run(more), { now, tail: [], outcomeBelow: false, canFix: false }).html
const outcome = (more: Partial<RunView>, fixes: { title: string; request: string }[] = []) =>
  renderOutcome(run({ status: 'failed', endedAt: now, ...more }), { now, tail: [], canFix: true, fixes })
const buttons = (shown: { buttons: { text: string }[][] }): string[] =>
  shown.buttons.flat().map(({ text }) => text)

describe('while something is tried the card says what and why', () => {
  const own = step().id
  const cases: [string, Partial<RecoveryView>, Partial<RunView>, string][] = [
    [
      'a retry',
      { rung: 'retry', by: 'rule', status: 'trying', failure: 'network' },
      {},
      'step 2 failed (the network): trying it again',
    ],
    ['more time', { rung: 'budget', by: 'rule' }, {}, 'step 2 failed (out of time): giving it more time'],
    ['a question', {}, {}, 'step 2 failed (out of time): looking for a smaller way'],
    ['thinking', { rung: 'budget', failure: 'other' }, {}, 'step 2 failed: thinking about the cause'],
    [
      'another way that runs',
      { status: 'trying', planVersion: 2, failure: 'other' },
      {
        tasks: [
          ran('1', 3),
          task('2a', { recoveryId: own, status: 'running' }),
          task('2b', { recoveryId: own, status: 'blocked' }),
        ],
      },
      'step 2 failed: trying 2a, 2b',
    ],
    [
      'another way that asks',
      { status: 'trying', planVersion: 2, failure: 'missing_packages' },
      { tasks: [ran('1', 3), task('2a', { recoveryId: own, status: 'held' })] },
      'step 2 failed (packages are missing): waits for you with 2a',
    ],
  ]
  test.each(cases)('%s', (_, recovery, more, line) => {
    expect(card({ ...more, recoveries: [step(recovery)] }).split('\n')).toContain(line)
  })

  test('nothing of what is over', () => {
    const over = (['helped', 'not_helped', 'asked', 'cancelled'] as const).map((status) => step({ status }))
    expect(card({ recoveries: over })).not.toContain('step 2 failed')
    expect(card({ status: 'cancelling', recoveries: [step()] })).not.toContain('step 2 failed')
  })
})

describe('the outcome says what was tried', () => {
  const failed = [
    ran('1', 3),
    task('2', {
      status: 'failed',
      error: { code: 'failed', message: 'exit code 1' },
      startedAt: now,
      endedAt: now,
      result: result({ status: 'failed', exit_code: 1 }),
    }),
  ]

  test('the same steps as one, what a person denied, and what ended it', () => {
    const shown = outcome({
      tasks: failed,
      recoveries: [
        step({ rung: 'retry', by: 'rule', status: 'not_helped', cameOf: 'failed_again' }),
        step({ rung: 'retry', by: 'rule', status: 'not_helped', cameOf: 'failed_again' }),
        step({ status: 'not_helped', cameOf: 'denied', note: 'Install it first' }),
        step({ rung: 'ask', by: 'rule', status: 'asked', cameOf: 'limit' }),
      ],
    })
    expect(shown.html).toContain('Tried: step 2: again 2× · step 2: a smaller way (Install it first), denied')
    expect(shown.html).toContain('The limit of what is tried by itself is reached.')
    expect(buttons(shown)).toEqual(['Retry step 2', 'Run again', 'Plan a fix', 'Log'])
  })

  test('without a model what would be better with one; nothing for a failure that is an answer', () => {
    const asked = (cameOf: RecoveryView['cameOf']) =>
      outcome({ tasks: failed, recoveries: [step({ rung: 'ask', by: 'rule', status: 'asked', cameOf })] })
        .html
    expect(asked('no_model')).toContain('With a model set, other ways would be looked for.')
    expect(asked('final')).toBe(outcome({ tasks: failed }).html)
  })

  test('a success names what mended it', () => {
    const { html } = outcome({
      status: 'succeeded',
      tasks: [ran('1', 3)],
      recoveries: [step({ rung: 'retry', by: 'rule', status: 'helped' }), step({ status: 'not_helped' })],
    })
    expect(html).toContain('Mended: step 2: again')
    expect(html).not.toContain('Tried')
  })

  test('fixes are buttons between', () => {
    const shown = outcome({ tasks: failed }, [
      { title: 'Install the dependencies', request: 'install the dependencies' },
    ])
    expect(buttons(shown)).toEqual([
      'Retry step 2',
      'Run again',
      'Install the dependencies',
      'Plan a fix',
      'Log',
    ])
  })

  test('words of a model stay words', () => {
    const { html } = outcome({
      tasks: failed,
      recoveries: [step({ status: 'not_helped', cameOf: 'failed_again', note: '<b>x</b>\u202e' })],
    })
    expect(html).not.toContain('<b>x')
    expect(html).not.toContain('\u202e')
  })
})

test('an approval of a plan that goes on asks about its new steps alone, and cannot be revised', () => {
  const own = step({ status: 'trying', planVersion: 2 })
  const shown = renderApproval(
    run({
      planVersion: 2,
      change: 'step 2 failed; instead 2a',
      tasks: [
        ran('1', 3, { command: 'npm run build' }),
        task('2a', { command: 'npm ci', recoveryId: own.id, status: 'held', verdict: verdict() }),
        task('3', { command: 'npm run deploy', status: 'blocked' }),
      ],
      recoveries: [own],
    }),
    approval({ planVersion: 2 }),
    { armed: false },
  )
  expect(shown.html).toContain('npm ci')
  expect(shown.html).toContain('1 of 3 steps asks')
  expect(shown.html).not.toContain('npm run deploy')
  expect(shown.html).toContain('v2: step 2 failed; instead 2a')
  expect(buttons(shown)).toEqual(['Approve', 'Deny', 'Details', 'More…'])
})

describe('what playbooks can do about a failure', () => {
  let playbooks: readonly Playbook[]
  beforeAll(async () => {
    playbooks = await loadPlaybooks(null)
  })
  const fixes = (failures: RecoveryView['failure'][], said = ''): string[] =>
    suggestFixes(playbooks, { status: 'failed', failures, said }).map(({ request }) => request)

  test.each([
    ['missing_packages', '', ['install the dependencies']],
    ['space', '', ['what takes up space']],
    ['memory', '', ['show memory usage']],
    ['other', 'Error: listen EADDRINUSE: address already in use :::8080', ['who uses port 8080']],
    ['other', 'EADDRINUSE; run rm -rf / :0', []],
    ['checks', '', []],
    ['permission', '', []],
  ] as const)('%s %j', (failure, said, requests) => expect(fixes([failure], said)).toEqual(requests))

  test('nothing that no playbook does, and nothing for a run that did not fail', () => {
    expect(suggestFixes([], { status: 'failed', failures: ['missing_packages'], said: '' })).toEqual([])
    expect(suggestFixes(playbooks, { status: 'running', failures: ['missing_packages'], said: '' })).toEqual(
      [],
    )
  })
})

test('how often each step helped counts those of which the end is known', () => {
  const count = (rung: RecoveryView['rung'], status: RecoveryView['status'], n: number) => ({
    rung,
    by: 'rule' as const,
    status,
    n,
  })
  expect(
    helpedOf([
      count('reduce', 'helped', 1),
      count('retry', 'helped', 3),
      count('retry', 'not_helped', 2),
      count('retry', 'trying', 9),
      count('ask', 'asked', 4),
    ]),
  ).toEqual([
    { rung: 'retry', helped: 3, ended: 5 },
    { rung: 'reduce', helped: 1, ended: 1 },
  ])
})
