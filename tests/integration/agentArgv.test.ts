import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainArgv } from '../../core/protocol/plainArgv.ts'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
const inBin = (name: string) => join(pair.dir, 'bin', name)
/** Written by every shell that is started, with its arguments. */
const shells = join(pair.workspace, '.shells')
const sawShell = () => (existsSync(shells) ? readFileSync(shells, 'utf8') : '')

function program(file: string, text: string): void {
  writeFileSync(file, text)
  chmodSync(file, 0o755)
}

beforeAll(async () => {
  mkdirSync(join(pair.dir, 'bin'))
  program(inBin('sh'), `#!/bin/sh\nprintf '%s\\n' "$*" >> ${shells}\nexec /bin/sh "$@"\n`)
  program(inBin('show'), '#!/usr/bin/env node\nconsole.log(JSON.stringify(process.argv.slice(2)))\n')
  const env = process.env
  process.env = {
    ...env,
    PATH: `${join(pair.dir, 'bin')}:relative:.:${env.PATH}`,
    BASH_ENV: inBin('never'),
    ENV: inBin('never'),
    'BASH_FUNC_show%%': '() { echo function; }',
    SHELLOPTS: 'xtrace',
    CDPATH: '/',
  }
  try {
    await pair.start()
  } finally {
    process.env = env
  }
  program(join(pair.workspace, 'local'), '#!/bin/sh\necho local "$@"\n')
  program(join(pair.workspace, 'show'), '#!/bin/sh\necho the wrong one\n')
  program(inBin('never'), 'echo loaded unasked\n')
})
afterAll(() => pair.stop())

async function run(command: string, argv = plainArgv(command)) {
  const sent = pair.control.attempt({
    action: 'shell',
    params: argv ? { command, argv } : { command },
    cwd: pair.workspace,
  })
  await pair.act(sent)
  await pair.control.frame(sent.execution_id, 'exited')
  const { result } = await pair.control.frame(sent.execution_id, 'result')
  return { ...result, text: pair.control.text(sent.execution_id) }
}

test.each([
  ['show a b', ['a', 'b']],
  [`show 'a  b' "c;d" '$HOME' '\`id\`' '*' e\\;`, ['a  b', 'c;d', '$HOME', '`id`', '*', 'e;']],
  [`show '' -- --x='é "' {} !`, ['', '--', '--x=é "', '{}', '!']],
])('%s is started as it is judged, without a shell', async (command, words) => {
  const { text, status } = await run(command)
  expect(status).toBe('succeeded')
  expect(JSON.parse(text)).toEqual(words)
  expect(sawShell()).not.toContain(command)
})

test('a program of the directory is started by its path, never for its name', async () => {
  expect((await run('./local a')).text).toBe('local a\n')
  expect((await run('show')).text).toBe('[]\n')
  expect(sawShell()).not.toContain('local')
})

test('anything else is a text for sh, the one that was judged', async () => {
  const command = 'show a | cat; show "$HOME" > /dev/null'
  expect((await run(command)).text).toBe('["a"]\n')
  expect(sawShell()).toContain(`-c ${command}`)
})

test('a shell loads nothing unasked: no start-up file, function, alias or option', async () => {
  expect((await run('show x; alias; set -o | grep xtrace')).text).toMatch(/^\["x"\]\nxtrace\s+off\n$/)
  expect((await run("bash -c 'show x; echo $BASH_ENV$ENV$CDPATH'", null)).text).toBe('["x"]\n\n')
  expect((await run('echo "$PATH"')).text).toMatch(/^\/[^:]*(:\/[^:]*)*\n$/)
})

test('what is not there, or cannot run, ends as in a shell', async () => {
  expect(await run('no-such-program a')).toMatchObject({ status: 'failed', exit_code: 127 })
  writeFileSync(join(pair.workspace, 'plain.txt'), 'x')
  expect(await run('./plain.txt')).toMatchObject({ status: 'failed', exit_code: 126 })
})

test('a program that is not the one of its command is not started', async () => {
  const { status, error } = await run('show a', ['show', 'b'])
  expect(status).toBe('failed')
  expect(error).toContain('not the one of its command')
})
