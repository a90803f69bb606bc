import { expect, test } from 'vitest'
import { createReadings } from '../../../bot/intake/askModel.ts'

test('what is left out, and what is open when the bot ends, is asked of no model any longer', async () => {
  const readings = createReadings()
  const signals: AbortSignal[] = []
  for (const update_id of [1, 2, 3])
    readings.begin(
      { update_id, key: update_id < 3 ? 'ana' : 'bob' },
      (unwanted) => {
        signals.push(unwanted)
        return new Promise((resolve) => unwanted.addEventListener('abort', () => resolve(null)))
      },
      async () => {},
    )
  const aborted = () => signals.map((signal) => signal.aborted)
  readings.leave(readings.idsOf('ana').slice(0, 1))
  expect(aborted()).toEqual([true, false, false])
  readings.stop()
  expect(aborted()).toEqual([true, true, true])
  await new Promise(setImmediate)
  expect([readings.has(1), readings.has(3)]).toEqual([false, false])
})
