import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ActionName } from '../../../core/protocol/actions.ts'
import { Pair } from '../agent/startPair.ts'

const pair = new Pair()
const pipe = join(pair.workspace, 'pipe')

beforeAll(async () => {
  await pair.start()
  execFileSync('mkfifo', [pipe])
  writeFileSync(join(pair.workspace, 'a.txt'), 'one\n')
})
afterAll(() => pair.stop())

async function run(action: ActionName, params: Record<string, unknown>) {
  const sent = pair.control.attempt({ action, params, cwd: pair.workspace })
  await pair.act(sent)
  return (await pair.control.frame(sent.execution_id, 'result')).result
}

const patch = (from: string, to: string): string => `--- ${from}\n+++ ${to}\n@@ -1 +1 @@\n-one\n+two\n`

it.each<[ActionName, Record<string, unknown>]>([
  ['file_read', { path: 'pipe' }],
  ['file_write', { path: 'pipe', content: 'x' }],
  ['file_write', { path: 'pipe', content: 'x', mode: 'create' }],
  ['file_patch', { patch: patch('a/pipe', 'b/pipe') }],
  ['file_patch', { patch: '--- a/pipe\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n' }],
  ['file_patch', { patch: '--- /dev/null\n+++ b/pipe\n@@ -0,0 +1 @@\n+one\n' }],
  ['file_list', { path: 'pipe' }],
])('%s refuses a pipe at once: %j', async (action, params) => {
  const started = performance.now()
  expect((await run(action, params)).error).not.toBeNull()
  expect(performance.now() - started).toBeLessThan(5000)
  expect(lstatSync(pipe).isFIFO()).toBe(true)
})

it('leaves every file as it was when a patch has a pipe in it', async () => {
  const { error } = await run('file_patch', {
    patch: patch('a/a.txt', 'b/a.txt') + patch('a/pipe', 'b/pipe'),
  })
  expect(error).toContain('pipe is not a regular file')
  expect(execFileSync('cat', [join(pair.workspace, 'a.txt')]).toString()).toBe('one\n')
  expect(existsSync(pipe)).toBe(true)
})

it('still lists a directory with a pipe in it', async () => {
  expect((await run('file_list', {})).error).toBeNull()
})
