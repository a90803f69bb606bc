import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ActionName } from '../../core/protocol/actions.ts'
import type { ExecutionResult } from '../../core/protocol/frames.ts'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
beforeAll(async () => {
  await pair.start()
  mkdirSync(join(pair.dir, 'outside'))
  writeFileSync(join(pair.dir, 'outside/secret'), 'outside')
  symlinkSync(join(pair.dir, 'outside'), join(pair.workspace, 'way-out'))
  symlinkSync(join(pair.dir, 'outside/not-yet'), join(pair.workspace, 'dangling'))
})
afterAll(() => pair.stop())

async function run(
  action: ActionName,
  params: Record<string, unknown>,
  cwd = pair.workspace,
): Promise<ExecutionResult & { text: string }> {
  const sent = pair.control.attempt({ action, params, cwd })
  const { status, text } = await pair.act(sent)
  if (status !== 202) throw new Error(text)
  await pair.control.frame(sent.execution_id, 'exited')
  return {
    ...(await pair.control.frame(sent.execution_id, 'result')).result,
    text: pair.control.text(sent.execution_id),
  }
}

const inWorkspace = (name: string) => join(pair.workspace, name)

describe('commands', () => {
  test('have a short environment and no standard input', async () => {
    process.env.SKYNET_TEST_SECRET = 'do-not-pass-this-on'
    const { text } = await run('shell', { command: 'env; cat; echo end' })
    expect(text).not.toContain('do-not-pass-this-on')
    expect(text).not.toContain('node_modules/.bin')
    expect(text).toContain('GIT_TERMINAL_PROMPT=0')
    expect(text).toMatch(/end\n$/)
  })

  test('do not see the data directory', async () => {
    const { text } = await run('shell', { command: `ls -A ${pair.dir}/data` })
    expect(text).toBe('')
    expect(existsSync(join(pair.dir, 'data/agent-laptop/journal'))).toBe(true)
  })

  test('may open their own output again', async () => {
    const { text, status } = await run('shell', { command: 'echo a > /dev/stderr; echo b > /dev/stdout' })
    expect(status).toBe('succeeded')
    expect(text.split('\n').sort()).toEqual(['', 'a', 'b'])
  })

  test.each([
    ['sh', 'echo "$1"'],
    ['bash', 'echo "$1"'],
    ['python3', 'import sys; print(sys.argv[1])'],
    ['node', 'console.log(process.argv[2])'],
    ['perl', 'print "$ARGV[0]\n"'],
  ])('a script of %s gets its arguments', async (interpreter, body) => {
    expect(await run('script', { interpreter, body, args: ['it works'] })).toMatchObject({
      status: 'succeeded',
      text: 'it works\n',
    })
  })

  test('noop waits and does nothing', async () => {
    expect(await run('noop', { ms: 50 })).toMatchObject({ status: 'succeeded', text: '' })
  })
})

describe('files', () => {
  test('are written whole, read and listed', async () => {
    const written = await run('file_write', { path: 'new/dir/a.txt', content: 'one\ntwo\n', mode: 'create' })
    expect(written).toMatchObject({ status: 'succeeded', changed: [inWorkspace('new/dir/a.txt')] })
    expect(await run('file_write', { path: 'new/dir/a.txt', content: 'x', mode: 'create' })).toMatchObject({
      status: 'failed',
      error: 'new/dir/a.txt is already there',
    })
    chmodSync(inWorkspace('new/dir/a.txt'), 0o755)
    await run('file_write', { path: inWorkspace('new/dir/a.txt'), content: 'three\n' })
    expect(statSync(inWorkspace('new/dir/a.txt')).mode & 0o777).toBe(0o755)
    expect(await run('file_read', { path: 'new/dir/a.txt' })).toMatchObject({
      summary: 'three\n',
      text: 'three\n',
    })
    expect((await run('file_read', { path: 'new/dir/a.txt', max_bytes: 2 })).text).toBe(
      'th\n[the first 2 of 6 bytes]\n',
    )
    expect((await run('file_list', { path: 'new', depth: 3 })).text).toBe('dir/\ndir/a.txt\n')
    expect((await run('file_list', {})).text).toContain('way-out@\n')
  })

  test.each([
    ['a parent', '../outside/secret'],
    ['an absolute path', '/etc/passwd'],
    ['a link', 'way-out/secret'],
    ['a dangling link', 'dangling'],
    ['the home directory', '~/../etc/passwd'],
    ['the data directory', '../data/agent-laptop/enrolment.json'],
  ])('are not reached over %s', async (_, path) => {
    for (const [action, params] of [
      ['file_read', { path }],
      ['file_write', { path, content: 'escaped' }],
      ['file_list', { path }],
      ['git_init', { path }],
      ['file_patch', { patch: `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+escaped\n` }],
    ] as const) {
      const { status, error } = await run(action, params)
      expect(`${action} ${status}`).toBe(`${action} failed`)
      expect(error).toMatch(/outside the agent's roots|data directory|cannot be resolved/)
    }
    expect(readFileSync(join(pair.dir, 'outside/secret'), 'utf8')).toBe('outside')
    expect(existsSync(join(pair.dir, 'outside/not-yet'))).toBe(false)
  })

  test('that are none are refused', async () => {
    execFileSync('mkfifo', [inWorkspace('fifo')])
    expect(await run('file_read', { path: 'fifo' })).toMatchObject({
      status: 'failed',
      error: 'fifo is not a regular file',
    })
    expect(await run('file_read', { path: '.' })).toMatchObject({ status: 'failed' })
    expect(await run('file_read', { path: 'not-there' })).toMatchObject({ status: 'failed' })
  })

  test('a patch is applied to all files or to none', async () => {
    writeFileSync(inWorkspace('one.txt'), 'a\nb\nc\n')
    writeFileSync(inWorkspace('two.txt'), 'x\n')
    const one = '--- a/one.txt\n+++ b/one.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n'
    const made = '--- /dev/null\n+++ b/made.txt\n@@ -0,0 +1 @@\n+new\n'
    const bad = '--- a/two.txt\n+++ b/two.txt\n@@ -1 +1 @@\n-y\n+z\n'
    expect(await run('file_patch', { patch: one + made + bad })).toMatchObject({
      status: 'failed',
      error: 'hunk 1 does not fit two.txt: its lines are not there',
    })
    expect(readFileSync(inWorkspace('one.txt'), 'utf8')).toBe('a\nb\nc\n')
    expect(existsSync(inWorkspace('made.txt'))).toBe(false)
    const gone = '--- a/two.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n'
    const done = await run('file_patch', { patch: one + made + gone })
    expect(done).toMatchObject({
      status: 'succeeded',
      changed: [inWorkspace('one.txt'), inWorkspace('made.txt'), inWorkspace('two.txt')],
    })
    expect(readFileSync(inWorkspace('one.txt'), 'utf8')).toBe('a\nB\nc\n')
    expect(existsSync(inWorkspace('two.txt'))).toBe(false)
  })
})

describe('git and tests', () => {
  test('a repository from its beginning to its first commit', async () => {
    expect((await run('git_init', { path: 'repo' })).status).toBe('succeeded')
    const repo = inWorkspace('repo')
    writeFileSync(join(repo, 'a.txt'), 'one\n')
    writeFileSync(join(repo, 'b.txt'), 'two\n')
    expect((await run('git_status', {}, repo)).text).toContain('?? a.txt')
    expect((await run('git_commit', { message: 'Add a', paths: ['a.txt'] }, repo)).text).toMatch(
      /Add a\n a\.txt \| 1 \+/,
    )
    expect((await run('git_status', {}, repo)).text).toBe('## main\n?? b.txt\n')
    writeFileSync(join(repo, 'a.txt'), 'changed\n')
    expect((await run('git_diff', {}, repo)).text).toContain('-one\n+changed\n')
    expect((await run('git_commit', { message: 'The rest' }, repo)).status).toBe('succeeded')
    expect((await run('git_diff', { ref: 'HEAD~1', path: 'a.txt' }, repo)).text).toContain('+changed')
    expect(await run('git_commit', { message: 'Nothing' }, repo)).toMatchObject({ status: 'failed' })
    expect(await run('git_commit', { message: 'x', paths: ['../../outside/secret'] }, repo)).toMatchObject({
      status: 'failed',
    })
  })

  test('runs what the manifest says', async () => {
    mkdirSync(inWorkspace('made'))
    expect((await run('run_tests', { tool: 'auto' }, inWorkspace('made'))).error).toMatch(/^no tests found/)
    writeFileSync(inWorkspace('made/Makefile'), 'test:\n\t@echo made $(X)\n')
    expect(await run('run_tests', { tool: 'auto', args: ['X=it'] }, inWorkspace('made'))).toMatchObject({
      status: 'succeeded',
      text: 'made it\n',
    })
    writeFileSync(inWorkspace('made/package.json'), '{"scripts":{"test":"node -e \'console.log(1+1)\'"}}')
    expect((await run('run_tests', { tool: 'auto' }, inWorkspace('made'))).text).toMatch(/\n2\n$/)
  })
})
