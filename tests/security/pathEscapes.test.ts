import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveInside } from '../../agent/sandbox/roots.ts'
import type { ActionCall } from '../../core/protocol/actions.ts'
import { ConfinedMachine } from '../support/confinedMachine.ts'

let machine: ConfinedMachine
beforeAll(() => {
  machine = new ConfinedMachine()
  symlinkSync(join(machine.outside, 'not-yet'), join(machine.work, 'dangling'))
  symlinkSync('loop', join(machine.work, 'loop'))
  symlinkSync('/proc/self/root', join(machine.work, 'link-to-root'))
  symlinkSync('/proc/self/cwd', join(machine.work, 'link-to-cwd'))
  mkdirSync(join(machine.work, 'plain'))
  symlinkSync('../../../outside', join(machine.work, 'plain/up'))
})
afterAll(() => machine.remove())

const patchOf = (path: string): string => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+escaped\n`

const waysOut: [name: string, path: () => string][] = [
  ['a parent', () => '../../outside/secret'],
  ['a parent behind a directory', () => 'plain/../../../outside/secret'],
  ['a parent of a directory that is not there', () => 'nothing/../../../outside/secret'],
  ['dots and slashes', () => './/.././../outside//secret'],
  ['an absolute path', () => join(machine.outside, 'secret')],
  ['a link to a directory', () => 'link-to-outside/secret'],
  ['a link to a link', () => 'link-to-link/secret'],
  ['a link with parents', () => 'plain/up/secret'],
  ['a link to a file', () => 'link-to-key'],
  ['a link to the home', () => 'link-to-home/.ssh/id_rsa'],
  ['a link and back', () => 'link-to-home/work/../.ssh/id_rsa'],
  ['a link to nowhere yet', () => 'dangling'],
  ['a loop of links', () => 'loop'],
  ['a link into /proc', () => `link-to-root${machine.outside}/secret`],
  ['a link to whoever reads', () => 'link-to-cwd/package.json'],
  ['the home', () => '~/.ssh/id_rsa'],
  ['the home’s parent', () => '~/../outside/secret'],
  ['another home', () => '~root/.bashrc'],
  ['a root that only begins alike', () => `${machine.work}-else/secret`],
  ['the data directory', () => join(machine.data, 'secrets.json')],
  ['the data directory over a link', () => 'link-to-data/secrets.json'],
  ['/proc', () => `/proc/self/root${machine.outside}/secret`],
  ['/etc', () => '/etc/passwd'],
  ['an odd encoding', () => '..%2f..%2foutside/secret'],
  ['a backslash', () => '..\\..\\outside\\secret'],
]

describe('file actions', () => {
  test.each(waysOut)('do not get out over %s', async (_, pathOf) => {
    const path = pathOf()
    const before = JSON.stringify(look(machine.outside)) + JSON.stringify(look(machine.data))
    for (const call of [
      { action: 'file_read', params: { path } },
      { action: 'file_write', params: { path, content: 'escaped' } },
      { action: 'file_write', params: { path: `${path}/below/it`, content: 'escaped' } },
      { action: 'file_list', params: { path } },
      { action: 'file_patch', params: { patch: patchOf(path) } },
      { action: 'git_init', params: { path: `${path}-repo` } },
    ] as ActionCall[]) {
      const { text, summary } = await machine.act(call)
      expect(text + (summary ?? ''), call.action).not.toContain(machine.mark)
    }
    expect(JSON.stringify(look(machine.outside)) + JSON.stringify(look(machine.data))).toBe(before)
    expect(existsSync(`${machine.work}-else`)).toBe(false)
  })

  test('write no further over a hard link', async () => {
    const outside = machine.put('outside/linked', 'as it was')
    for (const name of ['hard', 'hard2']) linkSync(outside, join(machine.work, name))
    expect(
      (await machine.act({ action: 'file_write', params: { path: 'hard', content: 'mine' } })).error,
    ).toBe(null)
    const patch = '--- a/hard2\n+++ b/hard2\n@@ -1 +1 @@\n-as it was\n\\ No newline at end of file\n+mine\n'
    expect((await machine.act({ action: 'file_patch', params: { patch } })).error).toBe(null)
    expect(readFileSync(join(machine.work, 'hard'), 'utf8')).toBe('mine')
    expect(readFileSync(outside, 'utf8')).toBe('as it was')
  })

  test('do not show the data directory under a root, by whatever name', async () => {
    const wide = new ConfinedMachine({ roots: ['.'] })
    try {
      const listed = await wide.act({ action: 'file_list', params: { path: '../.local', depth: 6 } })
      expect(listed.text).toContain('share/skynet/')
      expect(listed.text).not.toContain('secrets.json')
      const moved = join(wide.home, 'moved')
      renameSync(wide.data, moved)
      symlinkSync(moved, wide.data)
      const { text, error } = await wide.act({
        action: 'file_read',
        params: { path: '~/moved/secrets.json'.replace('~', wide.home) },
      })
      expect(text).not.toContain(wide.mark)
      expect(error).toMatch(/data directory/)
    } finally {
      wide.remove()
    }
  })
})

/** Names and contents below a directory. */
const look = (dir: string): [string, string][] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name)
      return [path, readFileSync(path, 'utf8')]
    })
    .sort()

/** Swaps a directory for a link that leads out, and back, for as long as it runs; what was made in between goes. */
const swapper = `
  const { renameSync, rmSync } = require('node:fs')
  const at = (name) => process.argv[1] + '/' + name
  const put = (from, to) => {
    for (;;)
      try {
        return renameSync(at(from), at(to))
      } catch {
        try { rmSync(at(to), { recursive: true, force: true }) } catch {}
      }
  }
  process.stdout.write('ready')
  for (;;) {
    put('d', 'dir'); put('link', 'd')
    put('d', 'link'); put('dir', 'd')
  }`

async function whileSwapping(act: () => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, ['-e', swapper, machine.work], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout, 'data')
    await act()
    expect(child.exitCode).toBe(null)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

describe('while a directory is swapped for a link out, thousands of times', () => {
  const ROUNDS = Number(process.env.RACE_ROUNDS ?? 400)
  let trap: string

  beforeAll(() => {
    trap = join(machine.dir, 'trap')
    for (const dir of [trap, join(machine.work, 'd'), join(trap, 'sub'), join(machine.work, 'd/sub')])
      mkdirSync(dir, { recursive: true })
    writeFileSync(join(trap, 'f'), machine.mark)
    writeFileSync(join(trap, `name-${machine.mark}`), '')
    symlinkSync(trap, join(machine.work, 'link'))
  })

  const settle = (): void => {
    if (existsSync(join(machine.work, 'dir'))) {
      rmSync(join(machine.work, 'd'), { recursive: true, force: true })
      rmSync(join(machine.work, 'link'), { force: true })
      renameSync(join(machine.work, 'dir'), join(machine.work, 'd'))
      symlinkSync(trap, join(machine.work, 'link'))
    }
  }

  test('looking before leaping does get out: the race is a real one', async () => {
    let escaped = 0
    await whileSwapping(async () => {
      const until = performance.now() + 15_000
      while (escaped === 0 && performance.now() < until) {
        try {
          const real = resolveInside(machine.bounds, machine.work, 'd/f')
          if (readFileSync(real, 'utf8').includes(machine.mark)) escaped++
        } catch {
          // It was the other of the two.
        }
      }
    })
    settle()
    expect(escaped).toBeGreaterThan(0)
  })

  test('no file action gets out', async () => {
    writeFileSync(join(machine.work, 'd/f'), 'inside')
    const before = JSON.stringify(look(trap))
    let done = 0
    const told: string[] = []
    await whileSwapping(async () => {
      for (let n = 0; n < ROUNDS; n++) {
        for (const call of [
          { action: 'file_read', params: { path: 'd/f' } },
          { action: 'file_write', params: { path: 'd/f', content: `inside ${n}` } },
          { action: 'file_write', params: { path: `d/sub/new${n % 20}`, content: 'x' } },
          ...(n % 5 === 0 ? [{ action: 'file_list', params: { path: 'd', depth: 2 } }] : []),
          ...(n % 5 === 1 ? [{ action: 'file_patch', params: { patch: patchOf(`d/made${n}`) } }] : []),
        ] as ActionCall[]) {
          const { text, summary, error } = await machine.act(call)
          if (error === null) done++
          if ((text + (summary ?? '')).includes(machine.mark)) told.push(`${call.action}: ${text}`)
        }
      }
    })
    settle()
    expect(told).toEqual([])
    expect(JSON.stringify(look(trap))).toBe(before)
    expect(done).toBeGreaterThan(0)
  }, 120_000)
})
