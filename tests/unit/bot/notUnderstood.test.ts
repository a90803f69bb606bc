import { describe, expect, test } from 'vitest'
import { renderOutcome } from '../../../bot/render/outcomeCard.ts'
import { stateWord } from '../../../bot/render/words.ts'
import type { RunView } from '../../../core/runs/viewRun.ts'
import { now, run } from './runs.ts'

const nearest = [
  { title: 'Run the tests', request: 'run the tests', example: 'run the tests' },
  { title: 'Commit', request: null, example: 'commit as "a note"' },
]
const odd = (more: Partial<RunView> = {}) =>
  run({
    ...{ status: 'failed', planVersion: 0, summary: null, source: null, endedAt: now },
    request: 'make <b>soup</b>\nof the & moon',
    error: { code: 'NO_PLAYBOOK', message: 'No playbook …', hint: 'Set a model: KEY in .env', nearest },
    ...more,
  })
const shown = (view: RunView) => renderOutcome(view, { now, tail: [], canFix: true })

describe('a request that nobody understood', () => {
  test('is answered by what would work, not by a failed run', () => {
    const { html, buttons, settled } = shown(odd())
    expect(html.split('\n')).toEqual([
      '<b>🤔 I do not know how to do that yet</b>',
      '“make &lt;b&gt;soup&lt;/b&gt; of the &amp; moon”',
      'Nothing was done. This would work:',
      'A command of yours does too: <code>/run git status</code>. /help lists what I understand.',
      'Set a model: KEY in .env',
    ])
    expect(buttons.flat().map(({ text }) => text)).toEqual(['run the tests', 'Commit …'])
    expect(settled).toBe(true)
    expect(stateWord(odd()).word).toBe('not understood')
  })

  test('of a pasted log says the errors in it, and what they come of where that is known', () => {
    const pasted = { asked: 'what is wrong?', errors: ['Error: no <x>', 'npm ERR! code 1'] }
    const hint = 'Set a model: KEY in .env'
    const told = (kind: 'missing_packages' | null) =>
      shown(odd({ error: { code: 'NO_PLAYBOOK', message: '', hint, nearest, pasted: { ...pasted, kind } } }))
        .html
    expect(told('missing_packages').split('\n').slice(0, 5)).toEqual([
      '<b>🔎 What the pasted text says</b>',
      '<blockquote expandable>Error: no &lt;x&gt;',
      'npm ERR! code 1</blockquote>',
      'Packages it needs are not installed there.',
      'Nothing was done. This may help:',
    ])
    expect(told(null)).toContain('what they mean takes a model')
    expect(told(null)).toContain(hint)
  })

  test('offers nothing where nothing is near', () => {
    const { html, buttons } = shown(odd({ error: { code: 'NO_PLAYBOOK', message: '', nearest: [] } }))
    expect(buttons).toEqual([])
    expect(html).toContain('Nothing was done.\n')
    expect(html).not.toContain('This would work')
  })

  test('what failed otherwise, or after a plan was made, stays a failed run', () => {
    const others = [{ error: { code: 'PLANNING_FAILED', message: 'No.' } }, { planVersion: 1 }]
    for (const more of others) expect(shown(odd(more)).html).toContain('❌ #12 failed')
  })
})
