import { describe, expect, test } from 'vitest'
import type { AnswerContext } from '../../../bot/render/answerParts.ts'
import { renderAnswer } from '../../../bot/render/answers.ts'
import { plain } from '../../../bot/render/html.ts'
import type { Topic } from '../../../core/talk/questions.ts'
import { approval, now, run, task } from './runs.ts'

const context = (more: Partial<AnswerContext> = {}): AnswerContext => ({
  now,
  tail: [],
  estimate: { from: 'nothing' },
  canFix: false,
  ...more,
})
const line = (text: string, taskKey = '2') => ({ taskKey, stream: 'stdout', text, at: now })
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000)
const say = (
  about: Topic,
  of: Parameters<typeof renderAnswer>[1],
  more: Partial<AnswerContext> = {},
): string => plain(renderAnswer(about, of, context(more)).html)

const going = run({
  status: 'running',
  startedAt: ago(102),
  tasks: [
    task('1', { title: 'install', status: 'succeeded', startedAt: ago(102), endedAt: ago(90) }),
    task('2', { title: 'unit tests', status: 'running', command: 'npm test', startedAt: ago(80) }),
    task('3', { title: 'lint', status: 'blocked', dependsOn: ['2'] }),
    task('4', { title: 'report', status: 'blocked', dependsOn: ['2', '3'] }),
  ],
})
const failed = run({
  status: 'failed',
  startedAt: ago(91),
  endedAt: now,
  tasks: [
    task('1', { title: 'install', status: 'succeeded' }),
    task('2', {
      title: 'unit tests',
      status: 'failed',
      startedAt: ago(80),
      endedAt: now,
      error: { code: 'EXIT', message: 'exit 1' },
      result: { exit_code: 1, signal: null, summary: '# pass 209\n# fail 3' } as never,
    }),
    task('3', { title: 'lint', status: 'skipped' }),
  ],
})

test('why planning failed is said in words, and exactly below them', () => {
  const error = { code: 'PLANNING_FAILED', message: 'No plan.', hint: 'Again?', details: 'tasks.0 <bad>' }
  const text = say('why', run({ status: 'failed', endedAt: now, tasks: [], error }))
  expect(text).toMatch(/No plan\.\nAgain\?\n.*tasks\.0 <bad>/)
})

describe('work under way', () => {
  test('how far', () => {
    expect(say('progress', going)).toBe('▶️ #12 Run the tests: running · 1 of 4 done · at 2 unit tests · 1:42')
  })
  test('what is it doing: the step, its command, and its last lines', () => {
    const text = say('doing', going, { tail: [line('one\ntwo\nthree\n')] })
    expect(text).toContain('Step 2 unit tests: npm test · 1:20 so far')
    expect(text).toContain('two\nthree')
    expect(text).not.toContain('one')
  })
  test('what failed: nothing so far', () => expect(say('failed', going)).toContain('Nothing so far.'))
  test('is it done: not yet', () => expect(say('result', going)).toContain('Not yet: running, 1 of 4 done.'))
  test('what next', () => expect(say('next', going)).toContain('Next: 3 lint, 4 report.'))
  test('what is it waiting for: nothing', () =>
    expect(say('waiting', going)).toContain('For nothing: it is at work on 2 unit tests.'))
  test('where', () => expect(say('where', going)).toContain('laptop:~/api'))
  test('who', () => expect(say('asker', going)).toContain('Ana asked for it'))
  test('how long, from the past and from the pace', () => {
    const past = { from: 'past', leftMs: 60_000, usualMs: 162_000, times: 3 } as const
    expect(say('eta', going, { estimate: past })).toContain('About 1:00 (the last 3 took 2:42).')
    expect(say('eta', going, { estimate: { ...past, leftMs: 0 } })).toContain('longer than usual')
    expect(say('eta', going, { estimate: { from: 'pace', leftMs: 300_000 } })).toContain('About 5:00, if')
    expect(say('eta', going)).toContain('I cannot tell')
  })
  test('output: the last lines, or that there is none', () => {
    expect(say('output', going, { tail: [line('hello\n')] })).toContain('hello')
    expect(say('output', going)).toContain('nothing so far')
  })
})

describe('work that failed', () => {
  test('what failed, and why: the step and what its tests said', () => {
    for (const about of ['failed', 'why', 'result'] as const) {
      expect(say(about, failed), about).toContain('Step 2 unit tests:')
      expect(say(about, failed), about).toContain('3 of 212 fail, exit 1')
    }
  })
  test('what next: the buttons of the outcome', () => {
    const { buttons } = renderAnswer('next', failed, context({ canFix: true }))
    expect(buttons.flat().map((button) => button.text)).toEqual(['Retry step 2', 'Plan a fix'])
  })
})

describe('work that asks', () => {
  const asks = run({
    status: 'awaiting_approval',
    approvals: [approval()],
    tasks: [task('1', { status: 'held' })],
  })
  test('why: rule and reason of what asks, and the code', () => {
    const text = say('why', asks)
    expect(text).toContain("medium · rule code.run-project: runs the project's own code")
    expect(text).toMatch(/K7 waits for an answer until/)
  })
  test('what is it waiting for, what next, how long: the answer', () => {
    for (const about of ['waiting', 'next', 'eta', 'approver'] as const)
      expect(say(about, asks), about).toContain('K7')
  })
  test('who approved', () => {
    const decisions = [{ name: 'Bo <b>', decision: 'approved', at: now }]
    const done = {
      ...asks,
      status: 'running' as const,
      approvals: [approval({ status: 'approved', decisions })],
    }
    expect(renderAnswer('approver', done, context()).html).toContain('approved by Bo &lt;b&gt;')
    expect(say('approver', going)).toContain('Nobody had to')
  })
})

test('what a hostile title or output says is text, not markup', () => {
  const odd = run({
    ...going,
    summary: '<a href="x">free</a>',
    tasks: [task('1', { status: 'running', startedAt: ago(5), title: '<b>', command: 'echo "<i>"' })],
  })
  const topics: Topic[] = ['progress', 'doing', 'why', 'plan', 'next', 'waiting', 'output', 'changed', 'cost']
  for (const about of topics) {
    const { html } = renderAnswer(about, odd, context({ tail: [line('<script>', '1')] }))
    expect(
      html.replace(/<\/?(b|code|blockquote expandable|blockquote)>|<\/?tg-time[^>]*>/g, ''),
      about,
    ).not.toMatch(/[<>]/)
  }
})
