import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ModelError } from '../../../core/llm/model.ts'
import { correctMemory, forgetMemory, undoCorrection } from '../../../core/memory/changeMemory.ts'
import type { Embedder } from '../../../core/memory/embedder.ts'
import { embedOnce } from '../../../core/memory/embedOnce.ts'
import { openMemory } from '../../../core/memory/openMemory.ts'
import { pruneMemoriesOnce } from '../../../core/memory/pruneMemories.ts'
import { recall } from '../../../core/memory/recall.ts'
import { everything } from '../../../core/memory/scope.ts'
import { openTestControl, type TestControl, testLog } from '../../support/control.ts'
import { newDatabase, type TestDatabase } from '../../support/database.ts'
import { addPerson } from '../../support/fleet.ts'
import { hashEmbedder } from '../../support/hashEmbedder.ts'
import { putMemory } from '../../support/memories.ts'
import { openVectorDatabase } from '../../support/pglite.ts'

let database: TestDatabase
let control: TestControl
let ana: string
const deps = () => control.deps
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  ana = await addPerson(deps(), 'owner')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
const found = async (text: string): Promise<number[]> =>
  (await recall(deps(), { text, limit: 5 })).map(({ id }) => id)

/** Every text column of every table that has this word, in any case. */
async function placesOf(word: string): Promise<string[]> {
  const columns = await deps().db.query<{ table: string; column: string }>(
    `SELECT c.table_name AS table, c.column_name AS column FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'`,
  )
  const places: string[] = []
  for (const { table, column } of columns) {
    const rows = await deps().db.query(
      `SELECT 1 FROM "${table}" WHERE "${column}"::text ILIKE '%' || $1 || '%' LIMIT 1`,
      [word],
    )
    if (rows.length > 0) places.push(`${table}.${column}`)
  }
  return places.sort()
}

describe('forgetting', () => {
  test('leaves no word of it in any table, and its rows leave the tables with a vacuum', async () => {
    const other = await putMemory(deps(), { text: 'The kettle is red.' })
    const id = await putMemory(deps(), {
      text: 'The kettle sings zwitschermaschine.',
      seen: 'Error: zwitschermaschine',
    })
    await deps().db.tx((tx) =>
      correctMemory(deps(), tx, everything, { id, text: 'The zwitschermaschine is off.', by: ana }),
    )
    expect(await placesOf('zwitscher')).toEqual([
      'memory.before',
      'memory.text',
      'memory.words',
      'memory_word.word',
    ])
    expect(await deps().db.tx((tx) => forgetMemory(tx, everything, id, ana))).toBe(true)
    expect(await deps().db.tx((tx) => forgetMemory(tx, everything, id, ana))).toBe(false)
    expect(await placesOf('zwitscher')).toEqual([])
    expect(await found('zwitschermaschine')).toEqual([])
    expect(await found('kettle')).toEqual([other])
    const [word] = await deps().db.query<{ memories: number }>(
      "SELECT memories FROM memory_word WHERE word = 'kettl'",
    )
    expect(word?.memories).toBe(1)
    await pruneMemoriesOnce(deps())
    const dead = async () => {
      const [row] = await deps().db.query<{ dead: number }>(
        "SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'memory' AND last_vacuum IS NOT NULL",
      )
      return row?.dead
    }
    // Statistics arrive a little later; other tests' open transactions hold dead rows back.
    await expect
      .poll(
        async () => {
          await deps().db.query('VACUUM memory')
          return dead()
        },
        { timeout: 30_000 },
      )
      .toBe(0)
  })

  test('empties what the outbox has of it, of sent messages alone', async () => {
    const id = await putMemory(deps(), { text: 'The attic is full of schnickschnack.' })
    const card = JSON.stringify({
      chat_id: 1,
      text: `<b>M${id}</b> · fact\nThe attic is full of schnickschnack.`,
    })
    await deps().db.query(
      `INSERT INTO delivery (method, payload, status) VALUES ('sendMessage', $1, 'sent')`,
      [card],
    )
    await deps().db.tx((tx) => forgetMemory(tx, everything, id, ana))
    expect(await placesOf('schnickschnack')).toEqual([])
  })

  test('is told to the trail without a word of it', async () => {
    const id = await putMemory(deps(), { text: 'Something about zwetschgenknoedel.' })
    await deps().db.tx((tx) => forgetMemory(tx, everything, id, ana))
    const [event] = await deps().db.query(
      "SELECT data FROM event WHERE type = 'memory.forgotten' ORDER BY seq DESC LIMIT 1",
    )
    expect(event).toEqual({ data: { memory: id, kind: 'fact', by: ana } })
  })

  test('takes the embedding along, and one that is on its way does not bring it back', async () => {
    const db = await openVectorDatabase()
    try {
      const memory = await openMemory({ db, log: testLog, max: 100, embedder: hashEmbedder })
      const own = { ...deps(), db } as never
      const [kept, gone] = [await putMemory(own, { text: 'Stays.' }), await putMemory(own, { text: 'Goes.' })]
      const slow = {
        ...hashEmbedder,
        embed: async (...given: Parameters<typeof hashEmbedder.embed>) => {
          await db.tx((tx) => forgetMemory(tx, everything, gone, null))
          return hashEmbedder.embed(...given)
        },
      }
      await embedOnce({ db, memory: { ...memory, embedder: slow } })
      const embedded = () => db.query<{ memory_id: number }>('SELECT memory_id FROM memory_embedding')
      expect(await embedded()).toEqual([{ memory_id: kept }])
      await db.tx((tx) => correctMemory(deps(), tx, everything, { id: kept, text: 'Stays on.', by: ana }))
      expect(await embedded()).toEqual([])
      expect(await embedOnce({ db, memory })).toBe(1)
      await db.tx((tx) => forgetMemory(tx, everything, kept, null))
      expect(await embedded()).toEqual([])
    } finally {
      await db.close()
    }
  }, 60_000)
})

test('embeddings: each text is asked for once by all, and one that is refused waits alone', async () => {
  const db = await openVectorDatabase()
  try {
    const asked: string[][] = []
    const embedder: Embedder = {
      name: 'tests:picky',
      embed: (texts, ...more) => {
        asked.push([...texts])
        if (texts.includes('poison')) throw new ModelError('request', 'no', '')
        return hashEmbedder.embed(texts, ...more)
      },
    }
    const memory = await openMemory({ db, log: testLog, max: 100, embedder })
    const own = { ...deps(), db } as never
    for (const text of ['a', 'b', 'poison', 'c', 'd']) await putMemory(own, { text })
    const done = await Promise.all([embedOnce({ db, memory }), embedOnce({ db, memory })])
    expect(done.sort()).toEqual([0, 4])
    expect(asked.filter((texts) => texts.length === 5)).toHaveLength(1)
    const before = asked.length
    expect(await embedOnce({ db, memory })).toBe(0)
    expect(asked).toHaveLength(before)
    await db.query("UPDATE memory_embedding_turn SET until = until - interval '21 minutes'")
    expect(await embedOnce({ db, memory })).toBe(0)
    expect(asked.slice(before)).toEqual([['poison']])
    const [turn] = await db.query<{ tries: number }>('SELECT tries FROM memory_embedding_turn')
    expect(turn?.tries).toBe(2)
  } finally {
    await db.close()
  }
}, 60_000)

describe('a correction', () => {
  test('stands against later outcomes, and can be taken back for an hour', async () => {
    const told = {
      text: 'Asked: water the ferns.',
      like: ['ferns'],
      seen: 'Error: dry',
      kind: 'task' as const,
    }
    const id = await putMemory(deps(), told)
    const correct = () =>
      deps().db.tx((tx) => correctMemory(deps(), tx, everything, { id, text: 'Ferns like rain.', by: ana }))
    await correct()
    expect(await putMemory(deps(), { ...told, text: 'Asked: water the ferns again.' })).toBe(id)
    expect((await recall(deps(), { text: 'ferns', limit: 1 }))[0]).toMatchObject({
      text: 'Ferns like rain.',
      seen: null,
      times: 2,
    })
    expect(await found('rain')).toEqual([id])
    expect(await deps().db.tx((tx) => undoCorrection(tx, everything, id, ana))).toBe(true)
    expect(await found('rain')).toEqual([])
    expect(await found('water')).toEqual([id])
    expect(await deps().db.tx((tx) => undoCorrection(tx, everything, id, ana))).toBe(false)
    await correct()
    await deps().db.query(
      "UPDATE memory SET corrected_at = corrected_at - interval '61 minutes' WHERE id = $1",
      [id],
    )
    await pruneMemoriesOnce(deps())
    expect(await deps().db.tx((tx) => undoCorrection(tx, everything, id, ana))).toBe(false)
  })
})

test('a correction by forwarded words has words from elsewhere', async () => {
  const id = await putMemory(deps(), { text: 'Cats are blue.' })
  const outside = async (forwarded: boolean) => {
    const words = { id, text: 'Cats are grey.', by: ana, forwarded }
    await deps().db.tx((tx) => correctMemory(deps(), tx, everything, words))
    return (await recall(deps(), { text: 'cats', limit: 1 }))[0]?.outside
  }
  expect([await outside(true), await outside(false)]).toEqual([true, false])
})

describe('beyond their number', () => {
  test('the least important go: old and failed ones, then others; what people said stays', async () => {
    await deps().db.query('DELETE FROM memory')
    const old = new Date(Date.now() - 60 * 86_400_000)
    const kept = [
      await putMemory(deps(), { text: 'said long ago', at: old }),
      await putMemory(deps(), { text: 'new and good', kind: 'task', succeeded: true }),
    ]
    for (let n = 0; n < 4; n++)
      await putMemory(deps(), { text: `old and bad ${n}`, kind: 'failure', succeeded: false, at: old })
    const memory = deps().memory
    if (!memory) throw new Error('memory is off')
    expect(await pruneMemoriesOnce({ ...deps(), memory: { ...memory, max: 3 } })).toBe(4)
    const rows = await deps().db.query<{ id: number }>('SELECT id FROM memory ORDER BY id')
    expect(rows.map(({ id }) => id)).toEqual(kept)
    const words = await deps().db.query(
      "SELECT word FROM memory_word WHERE word IN ('bad', 'good') ORDER BY 1",
    )
    expect(words).toEqual([{ word: 'good' }])
  })
})
