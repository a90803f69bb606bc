import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalPath, type PathPlace } from '../../../core/protocol/canonicalPath.ts'

const linux: PathPlace = { cwd: '/work/api', platform: 'linux-x64', home: '/home/ana' }
const mac: PathPlace = { cwd: '/Users/ana/api', platform: 'darwin-arm64', home: '/Users/ana' }
const windows: PathPlace = { cwd: 'C:\\Work\\api', platform: 'win32-x64', home: 'C:\\Users\\Ana' }

describe('one file has one name', () => {
  test.each([
    ['a.txt', '/work/api/a.txt'],
    ['./a.txt', '/work/api/a.txt'],
    ['../web//b/', '/work/web/b'],
    ['/work/api/x/../a.txt', '/work/api/a.txt'],
    ['~/notes', '/home/ana/notes'],
    ['~', '/home/ana'],
    ['.', '/work/api'],
    ['/', '/'],
    ['/../..', '/'],
    ['A.txt', '/work/api/A.txt'],
  ])('on linux %s is %s', (path, name) => expect(canonicalPath(path, linux)).toBe(name))

  test.each([
    ['SRC/A.ts', '/users/ana/api/src/a.ts'],
    ['/USERS/ana/API', '/users/ana/api'],
    ['cafe\u0301', '/users/ana/api/cafe\u0301'],
    ['caf\u00e9', '/users/ana/api/cafe\u0301'],
  ])('on darwin %s is %s', (path, name) => expect(canonicalPath(path, mac)).toBe(name))

  test.each([
    ['src\\A.ts', 'c:/work/api/src/a.ts'],
    ['src/A.ts', 'c:/work/api/src/a.ts'],
    ['c:\\WORK\\api\\.\\src\\..\\x. ', 'c:/work/api/x'],
    ['D:/', 'd:/'],
    ['~\\notes', 'c:/users/ana/notes'],
    ['\\\\server\\Share\\a', '//server/share/a'],
  ])('on win32 %s is %s', (path, name) => expect(canonicalPath(path, windows)).toBe(name))
})

describe('known links are followed', () => {
  const links = [
    { path: '/work/current', to: '/work/releases/7' },
    { path: '/work/releases/7/conf', to: '/etc/api' },
    { path: '/work/loop', to: '/work/loop2' },
    { path: '/work/loop2', to: '/work/loop' },
    { path: '/work/top', to: '/' },
  ]
  test.each([
    ['/work/current', '/work/releases/7'],
    ['/work/current/a', '/work/releases/7/a'],
    ['/work/currently', '/work/currently'],
    ['/work/current/conf/x', '/etc/api/x'],
    ['../current/../api/a', '/work/api/a'],
    ['/work/top/a', '/a'],
    ['/work/top', '/'],
  ])('%s is %s', (path, name) => expect(canonicalPath(path, { ...linux, links })).toBe(name))

  test('a circle of links ends', () =>
    expect(canonicalPath('/work/loop/a', { ...linux, links })).toMatch(/loop/))

  test('in any case where cases are one', () =>
    expect(
      canonicalPath('/users/ANA/Current/a', {
        ...mac,
        links: [{ path: '/Users/ana/current', to: '/Users/ana/v7' }],
      }),
    ).toBe('/users/ana/v7/a'))
})

const part = fc.oneof(
  fc.constantFrom('a', 'B', 'b', 'é', 'e\u0301', 'ß', 'SS', '.', '..', 'x.', 'İ', '', 'ſ', 'K', ' y'),
  fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }).filter((s) => !/[\0/\\:~]/.test(s)),
)
const relativePath = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `./${parts.join('/')}`)
const place = fc.constantFrom(linux, mac, windows)

test('a canonical path is its own canonical path', () => {
  fc.assert(
    fc.property(place, relativePath, (at, path) => {
      const once = canonicalPath(path, at)
      expect(canonicalPath(once, at)).toBe(once)
    }),
  )
})

test('detours, slashes and, where it does not count, case change nothing', () => {
  fc.assert(
    fc.property(place, relativePath, fc.constantFrom('x', 'Y'), (at, path, extra) => {
      const once = canonicalPath(path, at)
      expect(canonicalPath(`${path}/`, at)).toBe(once)
      expect(canonicalPath(`./${extra}/../${path}`, at)).toBe(once)
      expect(canonicalPath(`${path}/${extra}/..`, at)).toBe(once)
      if (at !== linux) expect(canonicalPath(path.toUpperCase(), at)).toBe(once)
    }),
  )
})

test('what is below a directory stays below it, through links as well', () => {
  const links = [{ path: '/work/link', to: '/data/real' }]
  fc.assert(
    fc.property(
      fc.constantFrom('link', 'api', 'link/sub'),
      fc.stringMatching(/^[a-z]{1,5}$/),
      (dir, name) => {
        const at = { ...linux, links }
        const below = canonicalPath(`/work/${dir}/${name}`, at)
        expect(below.startsWith(`${canonicalPath(`/work/${dir}`, at)}/`)).toBe(true)
      },
    ),
  )
})
