import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookAround } from '../../../agent/facts.ts'
import { findAliases, realName } from '../../../agent/sandbox/aliases.ts'
import { canonicalPath } from '../../../core/protocol/canonicalPath.ts'

let dir: string
beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-aliases-')))
  mkdirSync(join(dir, 'releases/7/conf'), { recursive: true })
  mkdirSync(join(dir, 'a/b/c/d'), { recursive: true })
  writeFileSync(join(dir, 'releases/7/app.txt'), '')
  symlinkSync(join(dir, 'releases/7'), join(dir, 'current'))
  symlinkSync('current/app.txt', join(dir, 'app.txt'))
  symlinkSync('later.txt', join(dir, 'soon.txt'))
  symlinkSync('around', join(dir, 'around'))
  symlinkSync(join(dir, 'releases'), join(dir, 'a/b/c/d/far'))
  symlinkSync('7', join(dir, 'releases/newest'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a name is followed to what it really is, also where that is not there yet', () => {
  expect(realName(join(dir, 'current/app.txt'))).toBe(join(dir, 'releases/7/app.txt'))
  expect(realName(join(dir, 'current/new/deep.txt'))).toBe(join(dir, 'releases/7/new/deep.txt'))
  expect(realName(join(dir, 'app.txt'))).toBe(join(dir, 'releases/7/app.txt'))
  expect(realName(join(dir, 'soon.txt'))).toBe(join(dir, 'later.txt'))
  expect(realName('/')).toBe('/')
  expect(realName(join(dir, 'around/x'))).toMatch(/around\/x$/)
})

test('names that are real have no aliases', () => {
  expect(findAliases([dir, join(dir, 'releases/7/app.txt'), join(dir, 'none/at/all')], 'linux')).toEqual([])
})

test('what is told of links is enough to find the real name', () => {
  const paths = ['current/conf/x', 'a/b/c/d/far/newest/app.txt', 'soon.txt', 'app.txt'].map((p) =>
    join(dir, p),
  )
  for (const path of paths) {
    const links = findAliases([path], 'linux')
    expect(links.length).toBeGreaterThan(0)
    const name = canonicalPath(path, { cwd: '/', home: '/', platform: 'linux', links })
    expect(name).toBe(realName(path))
    expect(findAliases([name], 'linux')).toEqual([])
  }
})

test('links under the roots are told with where they lead, at three levels', async () => {
  const { links } = await lookAround([dir])
  expect(links.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    { path: join(dir, 'app.txt'), to: join(dir, 'releases/7/app.txt') },
    { path: join(dir, 'around'), to: expect.any(String) },
    { path: join(dir, 'current'), to: join(dir, 'releases/7') },
    { path: join(dir, 'releases/newest'), to: join(dir, 'releases/7') },
    { path: join(dir, 'soon.txt'), to: join(dir, 'later.txt') },
  ])
})
