import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gitLook } from '../../agent/sandbox/gitLook.ts'
import { ConfinedMachine } from '../support/confinedMachine.ts'

/*
 * Repositories that hide where their settings are, or have git start something while somebody only asks what is in them;
 * and commands that do not say plainly where they look. Each bait is taken by plain git.
 */

let machine: ConfinedMachine
let dir: string
let mark: string
let n = 0
beforeAll(() => {
  machine = new ConfinedMachine()
})
afterAll(() => machine.remove())
beforeEach(() => {
  dir = join(machine.work, `repo${++n}`)
  mark = join(machine.work, `mark${n}`)
})

const git = (at: string, ...args: string[]): string => {
  const own = ['-c', 'user.name=x', '-c', 'user.email=x@y', '-c', 'protocol.file.allow=always']
  return execFileSync('git', [...own, ...args], { cwd: at, encoding: 'utf8', stdio: 'pipe' })
}

/** A repository with a file that git compares by content, and a filter for it that leaves the mark when `bait`. */
function make(at: string, { bait = false, init = [] as string[] } = {}): void {
  mkdirSync(at, { recursive: true })
  git(at, 'init', '-q', ...init)
  writeFileSync(join(at, 'a.txt'), 'first\n')
  writeFileSync(join(at, '.gitattributes'), '*.txt filter=evil\n')
  git(at, 'add', '.')
  git(at, 'commit', '-qm', 'first')
  writeFileSync(join(at, 'a.txt'), 'other\n')
  if (bait) git(at, 'config', 'filter.evil.clean', `touch '${mark}'; cat`)
}

/** The repository at `dir` with one at `sub` that holds the bait, as a link of its index. */
function withSub(init: string[] = []): void {
  make(dir, { init })
  make(join(dir, 'sub'), { bait: true, init })
  git(dir, 'add', 'sub')
  git(dir, 'commit', '-qm', 'link')
}

function plainly(command: string, at = dir): boolean {
  spawnSync('sh', ['-c', command], {
    cwd: at,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, HOME: machine.home },
  })
  const taken = existsSync(mark)
  rmSync(mark, { force: true })
  return taken
}

async function looked(command: string, at = dir): Promise<boolean> {
  await machine.shell(command, { cwd: at, look: true })
  if (command === 'git status')
    await machine.act({ action: 'git_status', params: {} }, { cwd: at, look: true })
  return existsSync(mark)
}

async function holds(command = 'git status', at = dir): Promise<void> {
  expect(['plain git takes it', plainly(command, at)]).toEqual(['plain git takes it', true])
  expect(['a look takes it', await looked(command, at)]).toEqual(['a look takes it', false])
}

describe('a sparse index that lacks a directory, and a place to fetch it from', () => {
  const sparse = (): void => {
    make(dir)
    for (const name of ['keep', 'far']) {
      mkdirSync(join(dir, name))
      writeFileSync(join(dir, name, 'b'), name)
    }
    git(dir, 'add', '.')
    git(dir, 'update-index', '--add', '--cacheinfo', `160000,${git(dir, 'rev-parse', 'HEAD').trim()},sub`)
    git(dir, 'commit', '-qm', 'far')
    git(dir, 'sparse-checkout', 'set', '--cone', '--sparse-index', 'keep')
    const tree = git(dir, 'rev-parse', 'HEAD:far').trim()
    rmSync(join(dir, '.git/objects', tree.slice(0, 2), tree.slice(2)))
    git(dir, 'config', 'extensions.partialClone', 'origin')
    git(dir, 'config', 'remote.origin.promisor', 'true')
  }

  test.each([
    ['core.sshCommand', 'ssh://x/y'],
    ['remote.origin.uploadpack', '/nowhere'],
    ['protocol.ext.allow', 'ext'],
  ])('%s starts nothing', async (key, url) => {
    sparse()
    const file = join(machine.work, `bait${n}`)
    writeFileSync(file, `#!/bin/sh\ntouch '${mark}'\nexit 1\n`, { mode: 0o755 })
    git(dir, 'config', key, key === 'protocol.ext.allow' ? 'always' : file)
    git(dir, 'config', 'remote.origin.url', url === 'ext' ? `ext::${file}` : url)
    if (url === '/nowhere') git(dir, 'config', 'remote.origin.url', machine.work)
    await holds('git ls-files --stage')
    expect(await looked('git status')).toBe(false)
    // Where nothing confines, it is not looked at either.
    await machine.shell('git status', { cwd: dir, look: true, confined: false })
    expect(existsSync(mark)).toBe(false)
  })

  test('a repository where the index tells of a directory only', async () => {
    make(dir)
    make(join(dir, 'far/sub'), { bait: true })
    mkdirSync(join(dir, 'keep'))
    writeFileSync(join(dir, 'keep/b'), '')
    git(dir, 'add', '.')
    git(dir, 'commit', '-qm', 'far')
    const kept = join(machine.work, `kept${n}`)
    renameSync(join(dir, 'far'), kept)
    git(dir, 'sparse-checkout', 'set', '--cone', '--sparse-index', 'keep')
    renameSync(kept, join(dir, 'far'))
    await holds()
  })
})

describe('a repository in a repository', () => {
  test('whose mode has further bits', async () => {
    withSub()
    patchIndex(0o160644)
    await holds()
  })

  test.each([2, 3, 4])('in an index of version %i', async (version) => {
    withSub()
    writeFileSync(join(dir, 'c.txt'), '')
    if (version === 3) git(dir, 'add', '-N', 'c.txt')
    else git(dir, 'update-index', '--index-version', String(version))
    expect(readFileSync(join(dir, '.git/index')).readUInt32BE(4)).toBe(version)
    await holds()
  })

  test('with ids of 32 bytes', async () => {
    withSub(['--object-format=sha256'])
    await holds()
  })

  test('in the shared half of an index, and in place of a file of it', async () => {
    withSub()
    git(dir, 'update-index', '--split-index')
    await holds()
    git(dir, 'config', 'splitIndex.maxPercentChange', '100')
    git(dir, 'update-index', '--cacheinfo', `160000,${git(dir, 'rev-parse', 'HEAD').trim()},sub`)
    await holds()
  })

  test('beside files that are elsewhere', async () => {
    make(dir)
    const files = join(machine.work, `files${n}`)
    make(join(files, 'sub'), { bait: true })
    git(dir, 'config', 'core.worktree', files)
    git(dir, 'add', 'sub')
    await holds()
  })

  test('in one whose own settings lie with those of the outermost', async () => {
    make(dir)
    const from = join(machine.work, `from${n}`)
    make(from)
    git(dir, 'submodule', '--quiet', 'add', from, 'sub')
    make(join(dir, 'sub/deep'), { bait: true })
    git(join(dir, 'sub'), 'add', 'deep')
    await holds()
  })

  test('whose name is no text: it is not looked at', async () => {
    withSub()
    const name = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0x62])])
    renameSync(join(dir, 'sub'), name)
    git(dir, 'add', '-A')
    expect(plainly('git status')).toBe(true)
    const told = await machine.shell('git status', { cwd: dir, look: true })
    expect(told.error).toContain('names are no text')
    expect(existsSync(mark)).toBe(false)
  })
})

/** The mode of the entry `sub`. */
function patchIndex(mode: number): void {
  const file = join(dir, '.git/index')
  const bytes = readFileSync(file)
  const at = bytes.lastIndexOf(Buffer.from([0, 0, 0xe0, 0]))
  bytes.writeUInt32BE(mode, at)
  writeFileSync(file, bytes)
}

describe('a repository that says in its own way where it is', () => {
  test.each(['two\nlines', 'blank '])('behind a file, under the name %j', async (name) => {
    make(dir, { bait: true })
    renameSync(join(dir, '.git'), join(dir, name))
    writeFileSync(join(dir, '.git'), `gitdir: ${name}\n`)
    await holds()
  })

  test('with what it shares under a name that ends in a blank', async () => {
    make(dir, { bait: true })
    const real = join(dir, 'common ')
    renameSync(join(dir, '.git'), real)
    mkdirSync(join(dir, '.git'))
    for (const name of ['HEAD', 'index'])
      writeFileSync(join(dir, '.git', name), readFileSync(join(real, name)))
    writeFileSync(join(dir, '.git/commondir'), '../common ')
    mkdirSync(join(dir, 'common'))
    await holds()
  })
})

test.each([
  'cd a && cd b && git status',
  'git -C a -C b status',
  'git -C "my dir" status',
  'cd my\\ dir && git status',
  'D=a/b; cd $D && git status',
  'cd a/[b] && git status',
  'git -C link status',
  'env -C a/b git status',
  'find . -name .git -execdir git status \\;',
  'cd "$PWD/x/../a/b" && git status',
  'D=..; E=a/b; cd x/$D/$E && git status',
  'cd x && cd ../a/? && git status',
  'cd x; find .. -name .git -execdir git status \\;',
  'cd x && cd .. && cd m* && git status',
])('%s', async (command) => {
  for (const name of ['a/b', 'my dir']) make(join(dir, name), { bait: true })
  symlinkSync('a/b', join(dir, 'link'))
  mkdirSync(join(dir, 'x'))
  await holds(command)
})

test.each([
  'cd "$PWD/../a/b" && git status',
  'D=..; E=a/b; cd $D/$E && git status',
  'cd ../a/? && git status',
  'git -C ../a/[b] status',
  'git -C far/../b status',
  'cd ..; cd a/*; git status',
])('beside its own directory: %s', async (command) => {
  make(join(dir, 'a/b'), { bait: true })
  mkdirSync(join(dir, 'x'))
  mkdirSync(join(dir, 'a/c'))
  symlinkSync('../a/c', join(dir, 'x/far'))
  await holds(command, join(dir, 'x'))
})

test('patterns that say what is looked for have nothing walked', async () => {
  make(join(dir, 'src'))
  for (let i = 0; i < 45; i++) mkdirSync(join(dir, 'src', 'deep/'.repeat(i + 1)), { recursive: true })
  const look = (command: string) =>
    gitLook(dir, { action: 'shell', params: { command } }, join(machine.dir, 'covers'))
  expect((await look("cd src && git diff -- '*.ts'")).problems).toEqual([])
  expect((await look('cd s* && git status')).problems).toEqual(['directories too deep'])
})

describe('what is no plain file', () => {
  const pipe = (path: string): void => {
    rmSync(path, { recursive: true, force: true })
    execFileSync('mkfifo', [path])
  }

  test.each(['.git', '.git/index', '.git/commondir', '.git/config', '.git/config.worktree', '.git/HEAD'])(
    'a pipe as %s is not waited for',
    async (name) => {
      make(dir)
      pipe(join(dir, name))
      const look = await gitLook(dir, { action: 'git_status', params: {} }, join(machine.dir, 'covers'))
      const harmless = ['.git', '.git/HEAD'].includes(name)
      expect(look.problems.length).toBe(harmless ? 0 : 1)
    },
  )

  test('nor one as the shared half of an index', async () => {
    make(dir)
    git(dir, 'update-index', '--split-index')
    const shared = /sharedindex\.\w+/.exec(execFileSync('ls', [join(dir, '.git')], { encoding: 'utf8' }))?.[0]
    pipe(join(dir, '.git', shared ?? ''))
    const look = await gitLook(dir, { action: 'git_status', params: {} }, join(machine.dir, 'covers'))
    expect(look.problems).toEqual(['an index that is no plain file'])
  })

  const endless = (path: string): void => {
    writeFileSync(path, '')
    truncateSync(path, 2 ** 40)
  }

  test('a file of settings without end, an endless index, and a thousand repositories are refused soon', async () => {
    make(dir)
    for (const name of ['config', 'index']) {
      rmSync(join(dir, '.git', name))
      endless(join(dir, '.git', name))
    }
    const look = await gitLook(dir, { action: 'git_status', params: {} }, join(machine.dir, 'covers'))
    expect(look.problems).toEqual(['settings that are no plain file', 'an index that is no plain file'])
    const many = join(machine.work, `many${n}`)
    make(many)
    for (let i = 0; i < 250; i++) {
      mkdirSync(join(many, '.git/modules', String(i)), { recursive: true })
      writeFileSync(join(many, '.git/modules', String(i), 'HEAD'), '')
      writeFileSync(join(many, '.git/modules', String(i), 'config'), '[x]\n\ty = z\n')
    }
    const wide = await gitLook(many, { action: 'git_status', params: {} }, join(machine.dir, 'covers'))
    expect(wide.problems).toEqual(['more than 100 files of settings'])
    expect(wide.limits).toEqual(wide.problems)
    expect(look.limits).toEqual([])
    const told = await machine.act({ action: 'git_status', params: {} }, { cwd: many, look: true })
    expect(told.text).toMatch(/more here than can be looked through.*100 files of settings.*git -p/)
    expect(told.text).not.toContain('would start programs')
  })
})
