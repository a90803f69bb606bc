import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notedHeads, noteHead } from '../../core/audit/notedHeads.ts'
import { noteSettings } from '../../core/audit/noteSettings.ts'
import { GENESIS, type Head, headText, parseHead, rowHash } from '../../core/audit/row.ts'
import { sealAuditOnce } from '../../core/audit/seal.ts'
import { type AuditFault, newestRows, readRows, verifyAudit } from '../../core/audit/verify.ts'
import { tellEvent } from '../../core/events/tellEvent.ts'
import { newApiToken, revokeApiToken } from '../../core/people/apiTokens.ts'
import { setLockdown } from '../../core/people/lockdown.ts'
import { meetPerson, setRole } from '../../core/people/people.ts'
import { openDatabase } from '../../core/storage/openDatabase.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import { testLog } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { allReadable } from '../support/events.ts'

let api: TestApi
let ana: { id: string }
beforeAll(async () => {
  api = await openTestApi()
  ana = await meetPerson(api.db, { id: 7_000_001, name: 'Ana' }, [])
})
afterAll(() => api?.close())

const seal = async () => {
  await allReadable(api.db)
  return sealAuditOnce({ db: api.db })
}
const verify = (noted: readonly Head[] = []) => verifyAudit(api.db, noted)
const acts = (count: number) =>
  api.db.tx(async (tx) => {
    for (let i = 0; i < count; i++) await newApiToken(tx, `t-${randomUUID()}`, ['read'], null, ana.id)
  })

describe('what people do', () => {
  test('stands in the trail in order, with who it was, in words that outlast them', async () => {
    await api.db.tx((tx) => setRole(tx, ana.id, 'approver', { cli: 'root@laptop' }))
    await api.db.tx((tx) => setLockdown(tx, true, ana.id))
    await api.db.tx((tx) => setLockdown(tx, false))
    await revokeApiToken(api.db, 'read-token', ana.id)
    await seal()
    const rows = (await newestRows(api.db, 4)).reverse()
    expect(rows.map(({ who, type }) => `${who}: ${type}`)).toEqual([
      'command line of root@laptop: person.role',
      'Ana (7000001): lockdown',
      'SKYNET: lockdown',
      'Ana (7000001): token.revoked',
    ])
    expect(await verify()).toMatchObject({ faults: [], rows: rows.at(-1)?.position })
  })

  test('that did not commit leaves nothing', async () => {
    const before = await seal()
    const failing = api.db.tx(async (tx) => {
      await setLockdown(tx, true, ana.id)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await seal()).toEqual({ rows: 0, head: before.head })
  })

  test('is told of settings and policy by name, never by value', async () => {
    const start = (env: Record<string, string>, policyVersion: string) =>
      noteSettings(api.db, { env, names: ['SKYNET_HTTP_HOST', 'SKYNET_API_TOKEN'], policyVersion, key: 'k' })
    await start({ SKYNET_API_TOKEN: 'first-secret' }, 'p1')
    const before = await seal()
    await start({ SKYNET_API_TOKEN: 'first-secret' }, 'p1')
    expect(await seal()).toEqual({ rows: 0, head: before.head })
    await start({ SKYNET_API_TOKEN: 'other-secret', SKYNET_HTTP_HOST: '0.0.0.0' }, 'p2')
    expect((await seal()).rows).toBe(2)
    const [policy, settings] = await newestRows(api.db, 2)
    expect(settings?.data.changed).toEqual(['SKYNET_HTTP_HOST', 'SKYNET_API_TOKEN'])
    expect(policy?.data).toMatchObject({ from: 'p1', to: 'p2' })
    const kept = JSON.stringify(await api.db.query('SELECT * FROM installation'))
    expect(kept).not.toMatch(/secret/)
  })
})

/** Does something to the trail that its triggers would not let, looks, and takes it back. */
async function tamper(how: (tx: Tx) => Promise<unknown>, noted: readonly Head[] = []): Promise<AuditFault[]> {
  let faults: AuditFault[] = []
  await api.db
    .tx(async (tx) => {
      await tx.query('ALTER TABLE audit DISABLE TRIGGER USER')
      await how(tx)
      faults = (await verifyAudit(tx, noted)).faults
      throw new Error('taken back')
    })
    .catch((error: Error) => {
      if (error.message !== 'taken back') throw error
    })
  return faults
}

/** Makes every hash from a row on fit again, as somebody would who can write the database. */
async function rehash(tx: Tx, from: number): Promise<void> {
  const [before] = from > 1 ? await readRows(tx, from - 2, 1) : [GENESIS]
  let previous = before?.hash ?? GENESIS.hash
  for (const row of await readRows(tx, from - 1, 100_000)) {
    const hash = rowHash({ ...row, previous })
    await tx.query('UPDATE audit SET previous = $2, hash = $3 WHERE position = $1', [
      row.position,
      previous,
      hash,
    ])
    previous = hash
  }
}

describe('tampering', () => {
  let head: Head
  const middle = () => Math.floor(head.position / 2)
  const kinds = (faults: AuditFault[]) => new Set(faults.map((fault) => fault.kind))
  const forget = (tx: Tx) => tx.query('DELETE FROM event')
  beforeAll(async () => {
    await acts(30)
    head = (await seal()).head
  })

  test('the trail refuses changes by itself', async () => {
    for (const statement of ["UPDATE audit SET who = 'x'", 'DELETE FROM audit', 'TRUNCATE audit'])
      await expect(api.db.query(statement)).rejects.toThrow('only ever added to')
  })

  test.each([
    ['who', "'Eve'"],
    ['who_id', `'${randomUUID()}'`],
    ['at', "at + interval '1 ms'"],
    ['type', "'person.role'"],
    ['data', `data || '{"a":1}'`],
    ['subject', `'{"run_id":"x"}'`],
    ['event_seq', 'event_seq + 1000000'],
    ['previous', "repeat('a', 64)"],
    ['hash', "repeat('a', 64)"],
  ])('a changed %s of any row is found, also without the events', async (column, value) => {
    for (const position of [1, middle(), head.position]) {
      const faults = await tamper(async (tx) => {
        await forget(tx)
        await tx.query(`UPDATE audit SET ${column} = ${value} WHERE position = $1`, [position])
      })
      expect(faults[0]).toMatchObject({ kind: 'changed', position })
    }
  })

  test('a removed row is found, renumbered or not', async () => {
    const remove = (tx: Tx) => tx.query('DELETE FROM audit WHERE position = $1', [middle()])
    expect(kinds(await tamper((tx) => forget(tx).then(() => remove(tx))))).toContain('missing')
    const renumbered = await tamper(async (tx) => {
      await forget(tx)
      await remove(tx)
      await tx.query('UPDATE audit SET position = -(position - 1) WHERE position > $1', [middle()])
      await tx.query('UPDATE audit SET position = -position WHERE position < 0')
    })
    expect(renumbered[0]).toMatchObject({ position: middle() })
    expect(kinds(renumbered)).toContain('order')
  })

  test('rows that changed places are found', async () => {
    const faults = await tamper(async (tx) => {
      await forget(tx)
      const [a, b] = [middle(), middle() + 1]
      await tx.query('UPDATE audit SET position = -1 WHERE position = $1', [a])
      await tx.query('UPDATE audit SET position = $1 WHERE position = $2', [a, b])
      await tx.query('UPDATE audit SET position = $1 WHERE position = -1', [b])
    })
    expect(kinds(faults)).toEqual(new Set(['changed', 'order']))
  })

  test('a row put in is found', async () => {
    const faults = await tamper(async (tx) => {
      await forget(tx)
      const row = (await readRows(tx, head.position - 1, 1))[0]
      await tx.query(
        `INSERT INTO audit SELECT position + 1, event_seq + 1000000, at, type, 'Eve', who_id, subject, data, hash, $2 FROM audit WHERE position = $1`,
        [row?.position, 'f'.repeat(64)],
      )
    })
    expect(faults).toMatchObject([{ kind: 'changed', position: head.position + 1 }])
  })

  test('a cut end is found by the events, and by a noted head where there are none', async () => {
    const cut = (tx: Tx) => tx.query('DELETE FROM audit WHERE position > $1', [middle()])
    expect(kinds(await tamper(cut))).toEqual(new Set(['event_missing']))
    expect(kinds(await tamper((tx) => forget(tx).then(() => cut(tx)), [head]))).toEqual(new Set(['cut']))
  })

  test('a chain written anew is found by the events, and by a noted head where there are none', async () => {
    const rewrite = async (tx: Tx) => {
      await tx.query('UPDATE audit SET who = \'Eve\', data = data || \'{"name":"x"}\' WHERE position = $1', [
        middle(),
      ])
      await rehash(tx, middle())
    }
    expect(kinds(await tamper(rewrite))).toEqual(new Set(['event_changed']))
    expect(kinds(await tamper((tx) => forget(tx).then(() => rewrite(tx)), [head]))).toEqual(
      new Set(['rewritten']),
    )
  })

  test('an event that was changed, or put in behind the trail, is found', async () => {
    const [row] = await readRows(api.db, middle() - 1, 1)
    const changed = await tamper((tx) =>
      tx.query("UPDATE event SET data = '{}' WHERE seq = $1", [row?.event_seq]),
    )
    expect(changed).toMatchObject([{ kind: 'event_changed', position: middle() }])
    const putIn = await tamper((tx) =>
      tx.query("INSERT INTO event (type, data, xid) VALUES ('lockdown', '{}', '3')"),
    )
    expect(kinds(putIn)).toEqual(new Set(['event_missing']))
  })

  test('events that are pruned are no fault', async () => {
    expect(await tamper(forget, [head])).toEqual([])
  })
})

describe('heads', () => {
  test('are noted in a file and read again; what is no head is passed over', async () => {
    const file = join(tmpdir(), `skynet-heads-${randomUUID()}`)
    const head = { position: 12, hash: 'a'.repeat(64) }
    expect(await notedHeads(file)).toEqual([])
    await noteHead(file, head, new Date(0))
    await noteHead(file, { ...head, position: 13 }, new Date(1))
    expect(await notedHeads(file)).toEqual([head, { ...head, position: 13 }])
    rmSync(file)
    expect(parseHead(headText(head))).toEqual(head)
    for (const text of ['', '12', 'x:y', `12:${'A'.repeat(64)}`, `-1:${head.hash}`])
      expect(parseHead(text)).toBe(null)
  })
})

describe('over REST', () => {
  test('an admin reads all of it, page by page, and has it verified', async () => {
    await acts(5)
    const first = await api.get('/v1/audit?limit=3')
    expect(first.body.audit).toHaveLength(3)
    const next = await api.get(`/v1/audit?limit=3&cursor=${first.body.next_cursor}`)
    expect(next.body.audit[0].position).toBe(first.body.audit[2].position - 1)
    const { body } = await api.post('/v1/audit/verify', {})
    expect(body).toMatchObject({ whole: true, rows: first.body.audit[0].position, faults: [] })
    const wrong = `3:${'0'.repeat(64)}`
    const told = await api.post('/v1/audit/verify', { heads: [body.head, wrong] })
    expect(told.body).toMatchObject({ whole: false, faults: [{ kind: 'rewritten', position: 3 }] })
    expect((await api.post('/v1/audit/verify', { heads: ['x'] })).status).toBe(400)
  })

  test('nobody else does', async () => {
    for (const scope of ['operate', 'gateway', 'agent'] as const) {
      expect((await api.get('/v1/audit', { token: api.tokens[scope] })).status).toBe(403)
      expect((await api.post('/v1/audit/verify', {}, { token: api.tokens[scope] })).status).toBe(403)
    }
  })
})

describe('many at once', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await newDatabase()
  })
  const writers = new Set<ChildProcess>()
  afterAll(async () => {
    for (const writer of writers) writer.kill('SIGKILL')
    await database.drop()
  })
  const open = (poolSize: number) => openDatabase({ url: database.url, poolSize, log: testLog })

  test('20 writers and 4 who seal make one chain with every act in it, in the order of the ledger', async () => {
    const db = open(24)
    let writing = true
    const sealing = Array.from({ length: 4 }, async () => {
      while (writing) await sealAuditOnce({ db })
    })
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      for (let n = 0; n < 25; n++)
        await db.tx(async (tx) => {
          await tellEvent(tx, 'lockdown', {}, { writer, n })
          await tellEvent(tx, 'attempt.progress', {}, {})
          if (n % 5 === 0) await tx.query('SELECT pg_sleep(0.005)')
        })
    })
    await Promise.all(writers)
    writing = false
    await Promise.all(sealing)
    await allReadable(db)
    await sealAuditOnce({ db })
    const { rows, faults } = await verifyAudit(db)
    expect([rows, faults]).toEqual([500, []])
    const told = (await readRows(db, 0)).map(({ data }) => `${data.writer}.${data.n}`)
    expect(new Set(told).size).toBe(500)
    for (let writer = 0; writer < 20; writer++)
      expect(told.filter((t) => t.startsWith(`${writer}.`)).map((t) => Number(t.split('.')[1]))).toEqual(
        Array.from({ length: 25 }, (_, n) => n),
      )
    await db.close()
  })

  test('three of them killed in the middle of it: the chain is whole, and no act is missing from it', async () => {
    const said = new Set<string>()
    const writer = async (killAfter: number): Promise<void> => {
      const script = join(import.meta.dirname, '../support/auditWriter.ts')
      const child = spawn(process.execPath, [script, database.url], { stdio: ['ignore', 'pipe', 'ignore'] })
      writers.add(child)
      let rest = ''
      let seen = 0
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) said.add(line)
        seen += lines.length
        if (seen >= killAfter) child.kill('SIGKILL')
      })
      await once(child, 'exit')
    }
    await Promise.all([20, 40, 60].map(writer))
    const db = open(2)
    await allReadable(db)
    await sealAuditOnce({ db })
    expect((await verifyAudit(db)).faults).toEqual([])
    const sealed = new Set((await readRows(db, 0, 100_000)).map(({ data }) => data.name))
    expect([...said].filter((name) => !sealed.has(name))).toEqual([])
    expect(said.size).toBeGreaterThanOrEqual(120)
    await db.close()
  }, 90_000)
})
