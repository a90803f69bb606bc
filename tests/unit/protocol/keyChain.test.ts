import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ControlKeys } from '../../../agent/controlKeys.ts'
import type { Logger } from '../../../core/config/logger.ts'
import { newSigningKey, publicKeyOf, readPublicKey } from '../../../core/protocol/grants.ts'
import { canonicalJson } from '../../../core/protocol/hash.ts'
import { followChain, type KeyStatement, keysAt, succeedKey } from '../../../core/protocol/keyChain.ts'

const now = new Date('2026-05-04T12:00:00Z')
const later = (ms: number) => new Date(now.getTime() + ms)
const first = newSigningKey()
const second = succeedKey(first.privatePem, now, 60_000)
const third = succeedKey(second.privatePem, now, 60_000)
const chain = [second.statement, third.statement]
const keys = [first.publicKey, publicKeyOf(second.privatePem), publicKeyOf(third.privatePem)] as const
const stranger = newSigningKey()

describe('a chain of keys', () => {
  test('leads from any key of it to the newest; the old ones count for a while', () => {
    expect(followChain(keys[0], chain)).toEqual(chain)
    expect(followChain(keys[1], chain)).toEqual([third.statement])
    expect(followChain(keys[2], chain)).toEqual([])
    expect(keysAt(keys[0], chain, now)).toEqual([keys[2], keys[0], keys[1]])
    expect(keysAt(keys[0], chain, later(60_001))).toEqual([keys[2]])
  })

  test('nobody but the holder of a key appoints its successor', () => {
    const own = succeedKey(stranger.privatePem, now, 60_000).statement
    const { succession } = own
    const renamed = { ...succession, old_key: keys[0] }
    const signedBy = (pem: string, text: object) =>
      sign(null, Buffer.from(canonicalJson({ key_succession: text })), createPrivateKey(pem)).toString(
        'base64url',
      )
    const forged: KeyStatement[] = [
      own,
      { ...own, succession: renamed },
      { succession: renamed, by_old: signedBy(stranger.privatePem, renamed), by_new: own.by_new },
      { ...second.statement, succession: { ...second.statement.succession, new_key: stranger.publicKey } },
      {
        ...second.statement,
        succession: { ...second.statement.succession, old_until: later(1e12).toISOString() },
      },
      { ...second.statement, by_old: second.statement.by_new },
      { ...second.statement, by_new: signedBy(stranger.privatePem, second.statement.succession) },
      { ...second.statement, by_old: '' },
      { ...second.statement, by_old: third.statement.by_old },
    ]
    for (const statement of forged) expect(followChain(keys[0], [statement])).toEqual([])
  })
})

describe('an agent', () => {
  const dir = mkdtempSync(join(tmpdir(), 'skynet-keys-'))
  afterAll(() => rmSync(dir, { recursive: true }))
  const none = {} as never
  const quiet: Logger = { error: () => none, warn: () => none, info: () => none, debug: () => none }
  const open = () => new ControlKeys(dir, keys[0], quiet)
  const named = (held: readonly { export(o: { type: 'spki'; format: 'der' }): Buffer }[]) =>
    held.map((key) => key.export({ type: 'spki', format: 'der' }).toString('base64url'))

  test('follows its control plane, remembers, and is led nowhere else afterwards', () => {
    const agent = open()
    expect(named(agent.follow([], now))).toEqual([keys[0]])
    expect(named(agent.follow([second.statement], now))).toEqual([keys[1], keys[0]])
    const other = succeedKey(first.privatePem, now, 60_000)
    expect(named(agent.follow([other.statement], now))).toEqual([keys[1], keys[0]])
    expect(named(open().follow([], later(60_001)))).toEqual([keys[1]])
    expect(named(open().follow([other.statement], later(60_001)))).toEqual([keys[1]])
    expect(named(open().follow(chain, later(60_001)))).toEqual([keys[2]])
    expect(named(new ControlKeys(dir, stranger.publicKey, quiet).follow(chain, now))).toEqual([
      stranger.publicKey,
    ])
    expect(readPublicKey(keys[2]).type).toBe('public')
  })
})
