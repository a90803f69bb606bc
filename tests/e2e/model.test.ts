import { afterAll, beforeAll, expect, test } from 'vitest'
import { readModelSettings } from '../../core/config/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { type ModelServer, startModelServer } from '../support/modelServer.ts'
import { type System, startSystem } from '../support/system.ts'

/* Requests that no playbook knows: the language model plans, policy judges, a person approves, the machine does it. */

let server: ModelServer
let system: System

beforeAll(async () => {
  server = await startModelServer()
  const model = await openModel(
    readModelSettings({ OPENAI_API_KEY: 'sk-test-000000000000000000000000', OPENAI_BASE_URL: server.url }),
  )
  system = await startSystem({ model })
})
afterAll(async () => {
  await system.stop()
  await server.close()
})

const step = (key: string, command: string, depends_on: string[] = []) => ({
  key,
  title: `Step ${key}`,
  reason: 'needed',
  call: { action: 'shell', command },
  directory: null,
  depends_on,
  milestone: null,
  writes: [],
  network: false,
  timeout_s: 60,
})
const plan = (summary: string, tasks: object[]) => ({
  kind: 'answer' as const,
  content: { cannot: null, summary, milestones: [], tasks },
  tokens_in: 900,
  tokens_out: 80,
})

test('plans, asks once for the whole plan, and runs it in order', async () => {
  server.push(
    plan('Make a marker', [
      step('1', 'ls'),
      step('2', 'mkdir made-by-model', ['1']),
      step('3', 'ls -d made-by-model', ['2']),
    ]),
  )
  system.say('prepare the frobnicator directory for me')
  await system.message(/LOW|MEDIUM|HIGH/)
  system.tap('Approve')
  await system.message(/#1 succeeded/)
  expect(system.has('made-by-model')).toBe(true)
})

test('what policy denies is refused, whatever the model says', async () => {
  server.push(plan('Tidy up', [step('1', 'ls'), step('2', 'sudo rm -rf / --no-preserve-root', ['1'])]))
  system.say('tidy the frobnicator up thoroughly')
  await system.message(/#2 refused/)
  expect(await system.run(2)).toMatchObject({ status: 'refused' })
})

test('an answer that stays wrong after one repair ends in words', async () => {
  server.push(
    { kind: 'answer', content: 'not a plan', tokens_in: 1, tokens_out: 1 },
    { kind: 'answer', content: 'still not a plan', tokens_in: 1, tokens_out: 1 },
  )
  system.say('defragment the frobnicator')
  await system.message(/#3 failed/)
  expect((await system.run(3))?.error?.code).toBe('PLANNING_FAILED')
})
