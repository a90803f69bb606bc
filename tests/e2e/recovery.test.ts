import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ModelServer } from '../support/modelServer.ts'
import { planned, startModelSystem } from '../support/modelSystem.ts'
import { draftStep } from '../support/scriptedModel.ts'
import type { System } from '../support/system.ts'

/* What people see after a failure: with a real agent, a real shell and a model behind a wire. */

let server: ModelServer
let system: System

beforeAll(async () => {
  ;({ server, system } = await startModelSystem())
})
afterAll(async () => {
  await system.stop()
  await server.close()
})

const asked = () => server.requests.map(({ body }) => body.messages.at(-1)?.content ?? '')
const steps = (number: number) =>
  system.db.query<{ rung: string; by: string; status: string; came_of: string | null }>(
    'SELECT v.rung, v.by, v.status, v.came_of FROM recovery v JOIN run r ON r.id = v.run_id WHERE r.number = $1 ORDER BY v.created_at, v.id',
    [number],
  )

test('a command that only reads and met a bad network is tried again, and the outcome says so', async () => {
  writeFileSync(system.path('first.txt'), 'curl: (6) Could not resolve host: example.org\n')
  const number = await system.ask('/run cat first.txt second.txt')
  await system.message(new RegExp(`#${number}[\\s\\S]*step 1 failed \\(the network\\): trying it again`))
  writeFileSync(system.path('second.txt'), 'there\n')
  await system.message(new RegExp(`#${number} succeeded[\\s\\S]*Mended: step 1: again`))
  expect(await steps(number)).toEqual([{ rung: 'retry', by: 'rule', status: 'helped', came_of: null }])
})

test('a step of a plan fails, the model finds another way, a person approves just that, and the plan goes on', async () => {
  server.push(
    planned('Read the settings', [
      draftStep('1', 'ls'),
      draftStep('2', 'cat settings.txt', ['1']),
      draftStep('3', 'ls -a', ['2']),
    ]),
    planned('Make the settings first', [
      draftStep('x', 'touch settings.txt'),
      draftStep('y', 'cat settings.txt', ['x']),
    ]),
  )
  const number = await system.ask('tell me what the frobnicator is set to')
  const question = await system.message(/touch settings\.txt/)
  expect(question.text).toMatch(/v2: step 2 failed; instead 2a, 2b/)
  expect(question.text).toContain(`from: you, files of laptop:api, log of #${number}`)
  expect(system.has('settings.txt')).toBe(false)
  expect(asked().at(-1)).toMatch(/name="log of #\d+">\ncat: settings\.txt: No such file or directory\n/)
  await system.message(new RegExp(`#${number} needs you[\\s\\S]*step 2 failed: waits for you with 2a, 2b`))
  await system.tap('Approve', { on: question.message_id })
  const mended = 'Mended: step 2: a smaller way \\(Make the settings first\\)'
  await system.message(new RegExp(`#${number} succeeded[\\s\\S]*${mended}`))
  expect(system.has('settings.txt')).toBe(true)
  const keys = (await system.run(number)).tasks.map(({ key, status }) => `${key} ${status}`)
  expect(keys).toEqual(['1 succeeded', '2a succeeded', '2b succeeded', '3 succeeded'])
})

test('denied: nothing of it runs, and the failure is told with what was tried and how to go on', async () => {
  rmSync(system.path('settings.txt'), { force: true })
  server.push(
    planned('Read the settings', [draftStep('1', 'cat settings.txt'), draftStep('2', 'ls', ['1'])]),
    planned('Make them', [draftStep('x', 'touch settings.txt')]),
  )
  const number = await system.ask('read me the frobnicator settings')
  const question = await system.message(new RegExp(`touch settings\\.txt[\\s\\S]*#${number} v2`))
  await system.tap('Deny', { on: question.message_id })
  const outcome = await system.message(new RegExp(`#${number} failed at step 1`))
  expect(outcome.text).toContain('Tried: step 1: a smaller way (Make them), denied')
  expect(outcome.text).toContain('Not run 2')
  expect(system.has('settings.txt')).toBe(false)
  writeFileSync(system.path('settings.txt'), 'blue\n')
  await system.tap('Retry step 1', { on: outcome.message_id })
  await system.message(new RegExp(`#${number} succeeded`))
  expect((await steps(number)).map(({ rung, by, status }) => `${rung} by ${by}: ${status}`)).toEqual([
    'reduce by model: not_helped',
    'ask by person: helped',
  ])
})

test('/cancel while the model is asked ends the question on its wire', async () => {
  rmSync(system.path('settings.txt'), { force: true })
  server.push(planned('Read', [draftStep('1', 'cat settings.txt')]), { kind: 'slow', ms: 60_000 })
  const before = server.requests.length
  const number = await system.ask('read me the frobnicator settings again')
  await system.message(new RegExp(`#${number}[\\s\\S]*step 1 failed: looking for a smaller way`))
  await system.until(() => server.requests.length === before + 2, 'the question')
  system.say(`/cancel #${number}`)
  await system.message(new RegExp(`#${number} (?:is )?cancelled`))
  await system.until(() => server.requests[before + 1]?.aborted, 'the question to end')
  expect((await system.run(number)).status).toBe('cancelled')
})

test('an owner switches it off in /settings, and a failure is a failure', async () => {
  system.say('/settings')
  const shown = await system.message(/After a failure: safe retries, and other ways by a model/)
  expect(shown.text).toMatch(/It helped: again 1 of 1/)
  await system.tap('After a failure: nothing')
  server.push(planned('Read', [draftStep('1', 'cat settings.txt')]))
  const number = await system.ask('read me the frobnicator settings once more')
  const outcome = await system.message(new RegExp(`#${number} failed`))
  expect(outcome.text).not.toContain('Tried')
  expect(await steps(number)).toEqual([])
})
