import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { writeGitSettings } from '../../../agent/sandbox/gitSettings.ts'
import { countsProcesses } from '../../../agent/sandbox/limits.ts'
import { type Mount, mountArgs, outermost } from '../../../agent/sandbox/mounts.ts'
import { type Machine, mountsFor, viewOf } from '../../../agent/sandbox/view.ts'
import { wallHint } from '../../../agent/sandbox/wallHint.ts'
import { writableRoots } from '../../../agent/sandbox/writableRoots.ts'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-view-')))
afterAll(() => rmSync(dir, { recursive: true }))
const home = join(dir, 'home')

const put = (path: string, text = ''): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

beforeEach(() => {
  rmSync(home, { recursive: true, force: true })
  for (const name of ['work', '.ssh', '.nvm', 'data', 'tools/bin', '.config/gh'])
    mkdirSync(join(home, name), { recursive: true })
  for (const name of ['.bashrc', '.netrc']) put(join(home, name))
})

const machineWith = (more: Partial<Machine> = {}): Machine => ({
  home,
  roots: [join(home, 'work')],
  hidden: join(home, 'data'),
  program: '/nowhere',
  path: [],
  readable: [],
  gitSettings: null,
  ...more,
})

const own = { writable: [join(home, 'work')], network: false, temp: '/t', caches: '/c', given: [] }
const mounts = (machine: Machine, more: Partial<typeof own> = {}): Mount[] =>
  mountsFor(viewOf(machine), { ...own, ...more })
const at = (all: Mount[], name: string): Mount['do'] | undefined =>
  all.findLast((mount) => mount.at === join(home, name))?.do

describe('a home beside the roots', () => {
  test('holds tools, and none of what else was in it', () => {
    const all = mounts(machineWith())
    expect([at(all, '.'), at(all, 'work'), at(all, '.nvm'), at(all, 'data')]).toEqual([
      'scratch',
      'work',
      'show',
      'hide',
    ])
    expect(['.ssh', '.netrc', '.config/gh', '.bashrc'].map((name) => at(all, name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test.each([
    ['registry=https://mirror.example/npm', 'show'],
    ['//registry.example/:_authToken=abc', undefined],
    ['registry=https://ana:pass@mirror.example', undefined],
    ['_password=abc', undefined],
  ])('shows settings with nothing secret in them: %s', (text, shown) => {
    put(join(home, '.npmrc'), text)
    expect(at(mounts(machineWith()), '.npmrc')).toBe(shown)
  })

  test('what is beside a program on the search path is shown, a home never', () => {
    const all = mounts(machineWith({ path: [join(home, 'tools/bin'), join(home, 'bin')] }))
    expect(at(all, 'tools')).toBe('show')
    mkdirSync(join(home, 'bin'))
    expect(at(mounts(machineWith({ path: [join(home, 'bin')] })), '.')).toBe('scratch')
  })
})

describe('a home that is a root', () => {
  const machine = (): Machine => machineWith({ roots: [home], path: [join(home, 'tools/bin')] })
  const wide = { writable: [home] }

  test('has its keys covered and what is started unasked read-only', () => {
    const all = mounts(machine(), wide)
    expect([at(all, '.'), at(all, '.ssh'), at(all, '.netrc'), at(all, '.config/gh')]).toEqual([
      'work',
      'hide',
      'blank',
      'hide',
    ])
    expect([at(all, '.bashrc'), at(all, '.nvm'), at(all, 'tools/bin'), at(all, 'data')]).toEqual([
      'show',
      'show',
      'show',
      'hide',
    ])
  })

  test('keeps the directories that lead there in their place', () => {
    expect(at(mounts(machine(), wide), '.config')).toBe('work')
    expect(at(mounts(machine(), { writable: [] }), '.config')).toBe('show')
  })

  test('follows no link that stands where something is to be covered', () => {
    rmSync(join(home, '.ssh'), { recursive: true })
    symlinkSync('/etc', join(home, '.ssh'))
    expect(at(mounts(machine(), wide), '.ssh')).toBe(undefined)
  })
})

test('a directory is mounted before what is in it, and nothing else can be written to', () => {
  const args = mountArgs([
    { do: 'show', at: '/a/b/c' },
    { do: 'hide', at: '/a/b' },
    { do: 'work', at: '/a' },
  ])
  const places = args.flatMap((arg, i) =>
    arg.endsWith('-try') || arg === '--tmpfs' ? [args[i + (arg === '--tmpfs' ? 1 : 2)]] : [],
  )
  expect(places).toEqual(['/a', '/a/b', '/a/b/c'])
  expect(args.slice(-4)).toEqual(['--remount-ro', '/a/b', '--remount-ro', '/'])
})

test('of nested directories the outer one counts', () => {
  expect(outermost(['/a/b', '/a', '/c', '/a'])).toEqual(['/a', '/c'])
})

test('temporary files are a run’s, or in memory where a root lies among them', () => {
  const all = mountsFor(viewOf(machineWith({ home: '/nobody', roots: ['/srv/x'], hidden: '/srv/data' })), own)
  expect(all.find((mount) => mount.at === '/tmp')).toEqual({ do: 'work', at: '/tmp', from: '/t' })
  expect(mounts(machineWith()).find((mount) => mount.at === '/tmp')?.do).toBe('scratch')
})

test('a task writes to the roots of its directory and files, and those it names', () => {
  const roots = ['/r/one', '/r/two', '/r/three', join(homedir(), 'four')]
  const spec = { cwd: '/r/one/x', required_files: ['/r/two/f'], params: { command: 'cp a ~/four/' } }
  expect(writableRoots(roots, spec)).toEqual(['/r/one', '/r/two', join(homedir(), 'four')])
})

test('git’s settings are shown without helpers, programs and tokens', () => {
  put(
    join(home, '.gitconfig'),
    '[user]\n\tname = "A \\"b\\" c"\n\temail = a@example.org\n[credential]\n\thelper = store\n[core]\n\tfsmonitor = evil\n\tautocrlf = input\n[http]\n\textraheader = "Authorization: x"\n\tproxy = http://ana:pw@proxy\n[alias]\n\tx = !evil\n[url "https://t0ken@example.org/"]\n\tinsteadOf = https://example.org/\n',
  )
  const file = writeGitSettings(join(dir, 'gitconfig'), { PATH: process.env.PATH, HOME: home })
  const again = writeGitSettings(join(dir, 'again'), {
    PATH: process.env.PATH,
    GIT_CONFIG_GLOBAL: file ?? '',
  })
  const text = readFileSync(again ?? '', 'utf8')
  expect(text).toBe(
    '[user]\n\tname = "A \\"b\\" c"\n[user]\n\temail = "a@example.org"\n[core]\n\tautocrlf = "input"\n',
  )
})

test('processes are counted where the kernel can, and never root’s', () => {
  expect(countsProcesses(1000, '5.14.0-1-amd64')).toBe(true)
  expect(countsProcesses(1000, '5.10.0')).toBe(false)
  expect(countsProcesses(0, '6.18.44')).toBe(false)
})

test.each([
  ['curl: (6) Could not resolve host: example.org', false, /no network/],
  ['curl: (6) Could not resolve host: example.org', true, null],
  ['Error: getaddrinfo EAI_AGAIN registry.npmjs.org', false, /no network/],
  ['touch: cannot touch /opt/x: Read-only file system', true, /only \/r\/one can be written/],
  ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock.', true, /docker/],
  ['sudo: The "no new privileges" flag is set', true, /sudo/],
  ['git@github.com: Permission denied (publickey).', true, /ssh keys/],
  ['1 test failed', false, null],
])('a command that failed by its walls is told so: %s', (output, network, told) => {
  const hint = wallHint(output, { network, writable: ['/r/one'] })
  if (told) expect(hint).toMatch(told)
  else expect(hint).toBe(null)
})
