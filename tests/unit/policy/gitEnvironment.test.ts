import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attemptEnvironment } from '../../../agent/sandbox/environment.ts'
import { judge } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'

const policy = await loadPolicy(null)
const dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-git-')))
const repository = join(dir, 'repository')
const log = join(dir, 'log')
const env = attemptEnvironment(process.env, 'test')

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repository, env: { ...process.env, HOME: dir } })
    .toString()
    .trim()

/** A program that says that it ran. */
function trap(name: string, at = join(dir, name)): string {
  writeFileSync(at, `#!/bin/sh\necho ${name} >> ${log}\nexit 1\n`, { mode: 0o755 })
  return at
}

beforeAll(() => {
  execFileSync('git', ['init', '-q', '-b', 'main', repository])
  git('config', 'user.name', 'x')
  git('config', 'user.email', 'x@localhost')
  writeFileSync(join(repository, 'a.txt'), 'one\n')
  git('add', '.')
  git('commit', '-q', '-m', 'one')
  writeFileSync(join(repository, 'a.txt'), 'two\n')
  git('stash', '-q')
  git('stash', 'apply', '-q')
  const commit = git('cat-file', 'commit', 'HEAD')
  const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n'
  const signed = `${commit.replace(/^(committer.*\n)/m, `$1${signature}`)}\n`
  const hash = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], {
    cwd: repository,
    input: signed,
  })
  git('update-ref', 'refs/heads/signed', hash.toString().trim())
  for (const [key, value] of [
    ['core.fsmonitor', trap('fsmonitor')],
    ['core.pager', trap('pager')],
    ['pager.log', trap('pager')],
    ['core.sshCommand', trap('ssh')],
    ['core.editor', trap('editor')],
    ['core.askPass', trap('askpass')],
    ['core.alternateRefsCommand', trap('alternates')],
    ['credential.helper', trap('credential')],
    ['gpg.program', trap('gpg')],
    ['log.showSignature', 'true'],
    ['format.pretty', '%G? %s'],
  ] as const)
    git('config', key, value)
  for (const hook of ['post-index-change', 'post-checkout', 'pre-auto-gc', 'reference-transaction'])
    trap(hook, join(repository, '.git/hooks', hook))
  rmSync(log, { force: true })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const looks = [
  'git status',
  'git log signed',
  'git log -p -1 signed',
  'git diff',
  'git diff HEAD',
  'git show signed',
  'git blame a.txt',
  'git branch -vv',
  'git stash list',
  'git stash show -p',
  'git grep two',
  'git describe --always',
  'git ls-files -m',
  'git tag -l',
  'git reflog',
  'git shortlog HEAD',
  'git for-each-ref',
  'git submodule status',
  'git worktree list',
  'git rev-list --all',
]

describe('git in a hostile repository', () => {
  it('starts its programs where nothing is done against it', () => {
    spawnSync('sh', ['-c', 'git status; git log signed'], { cwd: repository })
    expect(existsSync(log)).toBe(true)
  })

  it.each(looks)('%s is allowed and starts none of its programs', (command) => {
    rmSync(log, { force: true })
    utimesSync(join(repository, 'a.txt'), new Date(), new Date())
    const done = spawnSync('sh', ['-c', command], { cwd: repository, env })
    expect(done.stderr.toString()).toBe('')
    expect(done.status).toBe(0)
    expect(existsSync(log)).toBe(false)
    expect(judge({ action: 'shell', params: { command } }, exampleContext, policy).verdict).toBe('allow')
  })

  it.each([
    'git describe --always --dirty',
    'git log --show-signature signed',
    'git log --format=%G? signed',
    'git tag -v v1',
    'git verify-commit signed',
    'git help log',
    'git log --help',
    'git --bare log',
  ])('%s would start one, and asks', (command) => {
    expect(judge({ action: 'shell', params: { command } }, exampleContext, policy).verdict).toBe('ask')
  })

  it('does not take a directory that looks like a repository for one', () => {
    execFileSync('git', ['init', '-q', '--bare', join(dir, 'bare')])
    execFileSync('git', ['config', 'alias.x', `!${trap('alias')}`], { cwd: join(dir, 'bare') })
    const done = spawnSync('git', ['-C', join(dir, 'bare'), 'status'], { cwd: dir, env })
    expect(done.stderr.toString()).toContain('safe.bareRepository')
  })

  it('pushes to and clones from a bare one as ever', () => {
    const bare = join(dir, 'shared')
    execFileSync('git', ['init', '-q', '--bare', '-b', 'main', bare])
    execFileSync('git', ['push', '-q', bare, 'HEAD:main'], { cwd: repository, env })
    execFileSync('git', ['clone', '-q', bare, join(dir, 'clone')], { cwd: dir, env })
    expect(existsSync(join(dir, 'clone/a.txt'))).toBe(true)
  })
})
