import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanGitConfig } from '../../agent/sandbox/gitConfig.ts'
import { judge } from '../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../core/policy/loadPolicy.ts'
import { ConfinedMachine } from '../support/confinedMachine.ts'

/*
 * Repositories whose own settings name programs: an unpacked archive with its `.git`. Each bait alone, at each place that
 * git reads settings from, looked at with real git in every way that is let through without asking.
 */

const looks = [
  'git status',
  'git diff',
  'git diff --stat HEAD',
  'git diff --cached',
  'git log -p -2',
  'git show HEAD',
  'git blame a.txt',
  'git stash list -p',
  'git diff-files -p',
  'git diff-index -p HEAD',
  'git diff-tree -p HEAD',
  'git -C sub status',
  'git -C sub diff',
  'cd sub && git log -p',
]
const script = looks.map((look) => `(${look}) >/dev/null 2>&1`).join('; ')

type Place = 'top' | 'include' | 'includeIf' | 'worktree' | 'submodule' | 'nested submodule'
/** Those of one set do not stand in each other's way: a driver hides a text conversion, an attribute the outer program. */
const sets: readonly (readonly string[])[] = [
  ['diff.evil.command', 'filter.evil.process', 'core.pager', 'pager.log', 'core.editor'],
  [
    'diff.evil.textconv',
    'filter.evil.clean',
    'filter.evil.smudge',
    'core.fsmonitor',
    'gpg.program',
    'alias.lsx',
  ],
  [
    'diff.external',
    'filter.evil.smudge',
    'core.hooksPath',
    'core.alternateRefsCommand',
    'core.sshCommand',
    'pager.diff',
  ],
]
const places: Place[] = ['top', 'include', 'worktree', 'submodule', 'nested submodule']

const policy = await loadPolicy(null)
let machine: ConfinedMachine
let template: string
beforeAll(() => {
  machine = new ConfinedMachine()
  template = join(machine.dir, 'template')
  make(template)
  make(join(template, 'sub'))
  make(join(template, 'sub', 'deep'))
  for (const dir of [join(template, 'sub'), template]) {
    git(dir, 'add', '.')
    git(dir, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-qm', 'links')
  }
  for (const dir of ['', 'sub', 'sub/deep']) {
    writeFileSync(join(template, dir, 'a.txt'), 'changed api\n')
    writeFileSync(join(template, dir, '.gitattributes'), '* diff=evil filter=evil\n')
  }
})
afterAll(() => machine.remove())

const git = (dir: string, ...args: string[]) => execFileSync('git', args, { cwd: dir, stdio: 'ignore' })

function make(dir: string): void {
  mkdirSync(dir, { recursive: true })
  git(dir, 'init', '-q')
  writeFileSync(join(dir, 'a.txt'), 'first api\n')
  git(dir, 'add', 'a.txt')
  git(dir, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-qm', 'first')
}

/** A repository with these baits. Returns its directory, and which of them were taken. */
function bait(keys: readonly string[], place: Place): { dir: string; taken(): string[]; reset(): void } {
  const dir = join(machine.work, 'repo')
  const marks = join(machine.work, 'marks')
  rmSync(dir, { recursive: true, force: true })
  rmSync(marks, { recursive: true, force: true })
  mkdirSync(marks)
  cpSync(template, dir, { recursive: true })
  const at = place === 'submodule' ? 'sub' : place === 'nested submodule' ? 'sub/deep' : ''
  const gitDir = join(dir, at, '.git')
  if (place === 'worktree') git(dir, 'config', 'extensions.worktreeConfig', 'true')
  if (place === 'include') git(dir, 'config', 'include.path', 'more')
  if (place === 'includeIf') git(dir, 'config', 'includeIf.gitdir:/.path', 'more')
  const name = place === 'worktree' ? 'config.worktree' : place.startsWith('include') ? 'more' : 'config'
  for (const key of keys) git(dir, 'config', '--file', join(gitDir, name), key, program(gitDir, key, marks))
  return {
    dir,
    taken: () => readdirSync(marks),
    reset: () => {
      for (const mark of readdirSync(marks)) rmSync(join(marks, mark))
    },
  }
}

/** A program that says it was started, and does what a filter does; of hooks, the directory. */
function program(gitDir: string, key: string, marks: string): string {
  const file = join(gitDir, `bait-${key}`)
  writeFileSync(file, `#!/bin/sh\ntouch '${join(marks, key)}'\ncat 2>/dev/null\n`, { mode: 0o755 })
  if (key !== 'core.hooksPath') return file
  const hooks = join(gitDir, 'evil')
  mkdirSync(hooks)
  for (const hook of ['post-index-change', 'post-checkout', 'reference-transaction', 'fsmonitor-watchman'])
    cpSync(file, join(hooks, hook))
  return hooks
}

test('each way of looking is let through, and as one command too', () => {
  for (const look of [...looks, 'git status && git diff | head'])
    expect([look, judged(look)]).toEqual([look, 'allow'])
})

const judged = (command: string): string =>
  judge({ action: 'shell', params: { command } }, exampleContext, policy).verdict

describe('a repository whose own settings name programs', () => {
  const tried = { baits: 0, work: 0, started: 0 }
  afterAll(() =>
    console.log(`baits: ${tried.baits}, taken by plain git: ${tried.work}, by a look: ${tried.started}`),
  )

  test.each(places)(
    '%s: no look starts them, where plain git does',
    async (place) => {
      for (const keys of sets) {
        const one = bait(keys, place)
        const plain = { PATH: process.env.PATH, HOME: machine.home }
        spawnSync('sh', ['-c', script], { cwd: one.dir, stdio: 'ignore', env: plain })
        tried.baits += keys.length
        tried.work += one.taken().length
        one.reset()
        const looked = await machine.shell(script, { cwd: one.dir, look: true })
        for (const action of ['git_status', 'git_diff'] as const) {
          const done = await machine.act({ action, params: {} }, { cwd: one.dir, look: true })
          expect([action, done.error]).toEqual([action, null])
        }
        tried.started += one.taken().length
        expect([place, one.taken()], looked.text).toEqual([place, []])
      }
    },
    120_000,
  )

  test.each(['diff.evil.command', 'filter.evil.clean', 'diff.external'])(
    'where nothing confines, a look at one with %s is not started, and says what to do',
    async (key) => {
      const one = bait([key], 'top')
      if (key === 'diff.external') rmSync(join(one.dir, '.gitattributes'))
      const looked = await machine.shell('git status; git diff', {
        cwd: one.dir,
        look: true,
        confined: false,
      })
      expect(looked.error).toContain(key)
      expect(looked.error).toContain('git -p')
      expect(one.taken()).toEqual([])
      await machine.shell('git -p status; git -p diff', { cwd: one.dir, confined: false })
      expect(one.taken()).toEqual([key])
      expect(judged('git -p diff')).toBe('ask')
    },
  )
})

test('an ordinary repository is looked at with its own settings, and says the same as ever', async () => {
  const dir = join(machine.work, 'plain')
  make(dir)
  writeFileSync(join(dir, 'a.txt'), 'changed\n')
  git(dir, 'remote', 'add', 'origin', 'https://example.org/x.git')
  expect((await cleanGitConfig(readFileSync(join(dir, '.git', 'config')), false)).text).toBeNull()
  const looked = await machine.shell('git status --short; git remote -v; git diff', { cwd: dir, look: true })
  expect(looked.text).toMatch(/ M a\.txt[\s\S]*example\.org[\s\S]*\+changed/)
  git(dir, 'config', 'filter.evil.clean', 'false')
  const again = await machine.shell('git status --short; git remote -v; git diff', { cwd: dir, look: true })
  expect(again.text).toBe(looked.text)
  expect(readdirSync(join(dir, '.git'))).toContain('config')
})
