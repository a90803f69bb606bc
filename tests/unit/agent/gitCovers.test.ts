import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lookAround } from '../../../agent/facts.ts'
import { sweepCovers, writeCover } from '../../../agent/sandbox/gitCovers.ts'
import { readGitIndex } from '../../../agent/sandbox/gitIndex.ts'
import { readPlain } from '../../../agent/sandbox/plainFile.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skynet-covers-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('settings that stand in for others are written once, whole, and never into a file that is in use', () => {
  const file = writeCover(dir, '[core]\n')
  const used = openSync(file, 'r')
  expect(writeCover(dir, '[core]\n')).toBe(file)
  writeFileSync(file, '') // as a crash of the machine may leave it
  expect(writeCover(dir, '[core]\n')).toBe(file)
  expect(readFileSync(used, 'utf8')).toBe('')
  expect(readFileSync(file, 'utf8')).toBe('[core]\n')
  expect(readdirSync(dir)).toHaveLength(1)
  closeSync(used)
})

test('what no look asked for in a day is removed', () => {
  const now = Date.now()
  const [old, again] = [writeCover(dir, 'old'), writeCover(dir, 'again')]
  for (const file of [old, again]) utimesSync(file, 1, 1)
  writeCover(dir, 'again', now)
  sweepCovers(dir, now)
  expect([existsSync(old), existsSync(again)]).toEqual([false, true])
})

test('only plain files of a usual size are read, and nothing is waited for', async () => {
  const at = (name: string): string => join(dir, name)
  execFileSync('mkfifo', [at('pipe')])
  writeFileSync(at('huge'), '')
  truncateSync(at('huge'), 2 ** 40)
  writeFileSync(at('file'), 'text')
  symlinkSync('file', at('link'))
  symlinkSync('/dev/zero', at('device'))
  const kind = (name: string, follow = true): string => readPlain(at(name), 1024, { follow }).kind
  expect(
    ['pipe', 'huge', 'device', '.', 'missing', 'file/x', 'x'.repeat(300)].map((name) => kind(name)),
  ).toEqual(['odd', 'odd', 'odd', 'odd', 'none', 'none', 'none'])
  expect([kind('link'), kind('link', false), kind('file', false)]).toEqual(['bytes', 'odd', 'bytes'])
  for (const name of ['package.json', 'Makefile', 'makefile']) {
    mkdirSync(at('repo/.git'), { recursive: true })
    execFileSync('mkfifo', [at(`repo/${name}`)])
  }
  expect((await lookAround([dir])).repositories).toMatchObject([
    { name: 'repo', test_tools: [], scripts: [] },
  ])
})

/** An index of version 2 with these entries, and what follows them. */
function index(entries: [mode: number, name: string][], more: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.from('DIRC\0\0\0\x02\0\0\0\0', 'latin1')
  head.writeUInt32BE(entries.length, 8)
  const rows = entries.map(([mode, name]) => {
    const row = Buffer.alloc((62 + name.length + 8) & ~7)
    row.writeUInt32BE(mode, 24)
    row.writeUInt16BE(name.length, 60)
    row.write(name, 62, 'latin1')
    return row
  })
  return Buffer.concat([head, ...rows, more, Buffer.alloc(20)])
}

const extension = (name: string, ...numbers: number[]): Buffer => {
  const data = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, i) => {
    data.writeUInt32BE(number, i * 4)
  })
  const head = Buffer.from(`${name}\0\0\0\0`, 'latin1')
  head.writeUInt32BE(data.length, 4)
  return Buffer.concat([head, data])
}

test('an index that could be read in two ways is not read', () => {
  const names = (bytes: Buffer) => readGitIndex(bytes)?.links.map(String)
  const two = [
    [0o100644, 'a'],
    [0o160000, 'sub'],
  ] satisfies [number, string][]
  expect(names(index(two))).toEqual(['sub'])
  expect(names(index([[0o160000, 'sub\0more']]))).toEqual(['sub'])
  const [second, end] = [12 + 64, index(two).length - 20]
  const ended = (at: number) => extension('EOIE', at, 0, 0, 0, 0, 0)
  for (const blocks of [
    [12, 2],
    [12, 1, second, 1],
  ])
    expect(names(index(two, Buffer.concat([extension('IEOT', 1, ...blocks), ended(end)])))).toEqual(['sub'])
  for (const blocks of [
    [12, 1],
    [second + 1, 1],
    [12, 2, 12, 2],
    [100_000, 2],
  ])
    expect(names(index(two, Buffer.concat([extension('IEOT', 1, ...blocks), ended(end)])))).toBeUndefined()
  expect(names(index(two, ended(end + 8)))).toBeUndefined()
  expect(names(index(two, extension('TREE').fill(255, 4)))).toBeUndefined()
})

test('no bytes make it throw or take long', () => {
  const good = index([
    [0o160000, 'one'],
    [0o040000, 'two/'],
  ])
  for (let at = 0; at < good.length; at++)
    for (const value of [0, 1, 0x7f, 0xff]) {
      const bytes = Buffer.from(good)
      bytes[at] = value
      expect(() => readGitIndex(bytes)).not.toThrow()
      expect(() => readGitIndex(bytes.subarray(0, at))).not.toThrow()
    }
})
