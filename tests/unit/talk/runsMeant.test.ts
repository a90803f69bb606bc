import { expect, test } from 'vitest'
import { askedAbout } from '../../../core/talk/runsMeant.ts'

const run = (
  id: string,
  status: 'running' | 'succeeded',
  own: boolean,
  place: 'here' | 'topic' | 'away',
) => ({
  id,
  status,
  own,
  here: place === 'here',
  ofChat: place !== 'away',
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
