import { expect, test } from 'vitest'
import { plain } from '../../../bot/render/html.ts'
import { renderOutcome } from '../../../bot/render/outcomeCard.ts'
import { planText } from '../../../bot/render/planText.ts'
import { renderRunCard } from '../../../bot/render/runCard.ts'
import type { RunView } from '../../../core/runs/viewRun.ts'
import { approval, now, ran, run, task } from './runs.ts'

/* What the planner says of its steps, and of what it took: words of a model, for people. */

const about = {
  why: 'It was asked',
  expects: 'dist is gone',
  check: 'ls dist fails',
  undo: 'npm run build \u202Exe',
}
const source: RunView['source'] = {
  kind: 'model',
  provider: 'openai',
  model: 'gpt-x',
  tokens_in: 900,
  tokens_out: 410,
  cost_usd: 0.01,
  ms: 900,
  estimate: { complexity: 'simple', confidence: 0.82, raw: 300, expected: 320, budget: 384, similar: 2 },
  used: 410,
}

test('Details says why, what follows, how to check and to undo, and what it took against what was expected', () => {
  const text = planText(
    run({ status: 'awaiting_approval', source, tasks: [task('1', { about })] }),
    approval(),
  )
  expect(text).toContain('planned by openai gpt-x')
  expect(text).toContain('simple (82% sure): expected 320 tokens, up to 384, took 410')
  for (const line of ['why: It was asked', 'then: dist is gone', 'check: ls dist fails'])
    expect(text).toContain(line)
  expect(text).toContain('undo: npm run build ⟨U+202E⟩xe')
})

test('Details says the exact fault of planning, and of a change that came to nothing', () => {
  const error = { code: 'PLANNING_FAILED', message: 'No plan.', details: 'tasks.0: bad' }
  const text = planText(run({ source, error, changeFault: 'depends on ghost' }), approval())
  expect(text).toContain('the exact fault: tasks.0: bad\nthe exact fault: depends on ghost\n')
  expect(planText(run({ source }), approval())).not.toContain('fault')
})

test('an outcome that broke off says how what was begun can be taken back, one that went well does not', () => {
  const tasks = [ran('1', 1, { about }), task('2', { about, status: 'skipped' })]
  const shown = (status: RunView['status']) =>
    plain(renderOutcome(run({ status, source, tasks, endedAt: now }), { now, canFix: false, tail: [] }).html)
  expect(shown('failed')).toContain('undo 1: npm run build ⟨U+202E⟩xe')
  expect(shown('failed')).not.toContain('undo 2')
  expect(shown('succeeded')).not.toContain('undo')
})

test('the card shows what a model has written so far only while it plans, with hidden letters shown', () => {
  const card = (status: RunView['status']) =>
    plain(
      renderRunCard(run({ status }), {
        now,
        tail: [],
        outcomeBelow: false,
        canFix: false,
        draft: 'Tidy\n1 <b>rm</b> \u202Ex',
      }).html,
    )
  expect(card('planning')).toContain('1 <b>rm</b> ⟨U+202E⟩x')
  expect(card('running')).not.toContain('Tidy')
})
