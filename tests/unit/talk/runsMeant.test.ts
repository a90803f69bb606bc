import { expect, test } from 'vitest'
import { askedAbout } from '../../../core/talk/runsMeant.ts'

let numbers = 1000
/** Each one is older than the one before it, as the ledger gives them. */
const run = (
  id: string,
  status: 'running' | 'succeeded' | 'failed' | 'awaiting_approval',
  own: boolean,
  place: 'here' | 'topic' | 'away',
  understood = true,
) => ({
  id,
  number: --numbers,
  status,
  own,
  here: place === 'here',
  ofChat: place !== 'away',
  understood,
})
const about = (runs: ReturnType<typeof run>[], chatId: number) =>
  askedAbout(runs, { chatId }).map(({ id }) => id)

test('a group is told of its own runs alone, whoever asks', () => {
  const secret = run('private', 'running', true, 'away')
  const past = run('private past', 'succeeded', true, 'away')
  expect(about([secret, run('of the group', 'running', false, 'here'), past], -5)).toEqual(['of the group'])
  expect(about([secret, run('mine in a topic', 'running', true, 'topic')], -5)).toEqual(['mine in a topic'])
  expect(about([secret, past], -5)).toEqual([])
})

test('in private a person is told of theirs wherever they asked for them, under way first', () => {
  const runs = [run('ended', 'succeeded', true, 'here'), run('elsewhere', 'running', true, 'away')]
  expect(about(runs, 5)).toEqual(['elsewhere'])
  expect(about(runs.slice(0, 1), 5)).toEqual(['ended'])
})

test('what has waited for an answer since before tells nothing of what was done since', () => {
  const failed = run('failed', 'failed', true, 'here')
  const ofProgram = run('waits, of a program', 'awaiting_approval', false, 'here')
  const mine = run('waits, mine', 'awaiting_approval', true, 'here')
  expect(about([failed, ofProgram, mine], 5)).toEqual(['failed'])
  expect(about([ofProgram, mine], 5)).toEqual(['waits, mine'])
  expect(about([ofProgram], 5)).toEqual(['waits, of a program'])
  const newer = run('older end', 'succeeded', true, 'here')
  expect(about([mine, newer], 5)).toEqual(['waits, mine'])
  expect(
    about([run('runs, of another', 'running', false, 'here'), run('older', 'failed', true, 'here')], 5),
  ).toEqual(['runs, of another'])
})

test('a request that nobody understood is nothing to tell of', () => {
  const odd = run('not understood', 'failed', true, 'here', false)
  const before = run('before it', 'succeeded', true, 'here')
  expect(about([odd, before], 5)).toEqual(['before it'])
  expect(about([odd], 5)).toEqual([])
})
