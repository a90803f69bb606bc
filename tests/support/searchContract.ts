import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { everything, type Scope } from '../../core/memory/scope.ts'
import type { Question, Search } from '../../core/memory/search.ts'
import { type NewMemory, storeMemory } from '../../core/memory/storeMemory.ts'
import type { Sql } from '../../core/storage/sql.ts'

/*
 * What every way of search promises, whatever it searches with:
 *
 *   searchContract('text', async () => ({ sql, search, settle: async () => {}, close }))
 */

export type Opened = {
  sql: Sql
  search: Search
  /** Called after memories were put or changed: whatever the search needs besides is made. */
  settle(): Promise<void>
  close(): Promise<void>
}

const redact = (text: string): string => text
const person = randomUUID()

export function searchContract(name: string, open: () => Promise<Opened>): void {
  describe(`search by ${name}`, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await open()
    }, 60_000)
    afterAll(() => opened?.close())
    beforeEach(() => opened.sql.query('DELETE FROM memory').then(() => {}))

    const put = async (text: string, more: Partial<NewMemory> = {}): Promise<number> => {
      const id = await storeMemory({ redact }, opened.sql, {
        ...{
          kind: 'task' as const,
          like: [text, more.chatId ?? null],
          text,
          outside: false,
          succeeded: true,
        },
        ...{ personId: null, chatId: null, agentId: null, cwd: null, runId: null, at: new Date() },
        source: `test:${randomUUID()}`,
        ...more,
      })
      return id ?? 0
    }
    const find = async (text: string, more: Partial<Question> = {}, limit = 5): Promise<number[]> => {
      await opened.settle()
      const found = await opened.search.find(opened.sql, { text, scope: everything, ...more }, limit)
      for (const { relevance } of found) {
        expect(relevance).toBeGreaterThanOrEqual(0)
        expect(relevance).toBeLessThanOrEqual(1)
      }
      expect(found.map((one) => one.relevance)).toEqual(
        found.map((one) => one.relevance).sort((a, b) => b - a),
      )
      return found.map(({ id }) => id)
    }
    const scope = (more: Partial<Scope>): { scope: Scope } => ({
      scope: { personId: person, chats: null, agents: null, ...more },
    })

    test('finds the one that speaks of it, before others', async () => {
      await put('Asked: list the files. Done: ls -la (ok).')
      const wanted = await put('Asked: run the unit tests of the parser. Done: npm test (exit 1).')
      await put('Asked: restart nginx. Done: systemctl restart nginx (ok).')
      expect((await find('tests of the parser'))[0]).toBe(wanted)
    })

    test('finds words inside paths and names', async () => {
      await put('Asked: show the readme. Done: cat README.md (ok).')
      const wanted = await put('Done: file_patch src/auth/loginForm.ts (ok).')
      expect((await find('login form'))[0]).toBe(wanted)
    })

    test('finds a word with a slip of the thumb', async () => {
      await put('Asked: list the files.')
      const wanted = await put('Asked: deploy the website to staging.')
      expect((await find('deplyo websiet'))[0]).toBe(wanted)
    })

    test('gives at most as many as asked for, each once, and none of none', async () => {
      expect(await find('tests')).toEqual([])
      for (let n = 0; n < 8; n++) await put(`Asked: run the tests of part ${n}.`)
      const ids = await find('run the tests', {}, 3)
      expect(new Set(ids).size).toBe(3)
      expect(await find('run the tests', {}, 0)).toEqual([])
    })

    test.each([
      ['nothing', ''],
      ['blanks', ' \n '],
      ['signs alone', '!!! -- ( & | :* <-> \\ \' "'],
      ['operators of a query', "tests & !(x | 'y' :* <-> z"],
      ['a quote', "it's \\' tests'); DROP TABLE memory; --"],
      ['a NUL', 'tests\0'],
      ['half a pair', 'tests \ud800'],
      ['no end', 'tests '.repeat(20_000)],
      ['many words', Array.from({ length: 3000 }, (_, n) => `w${n}`).join(' ')],
    ])('is asked %s without harm', async (_, text) => {
      const id = await put('Asked: run the tests.')
      const ids = await find(text)
      expect([[], [id]]).toContainEqual(ids)
    })

    test('reads other scripts', async () => {
      await put('Asked: list the files.')
      const wanted = await put('テストを実行する')
      expect((await find('テストを実行'))[0]).toBe(wanted)
    })

    test('counts the same place for more', async () => {
      const [agentId, other] = [randomUUID(), randomUUID()]
      await put('Asked: build the docs.', { like: ['a'], agentId: other, cwd: '/work/b' })
      await put('Asked: build the docs.', { like: ['b'], agentId, cwd: '/work/else' })
      const wanted = await put('Asked: build the docs.', { like: ['c'], agentId, cwd: '/work/api' })
      const ids = await find('build the docs', { place: { agentId, cwd: '/work/api/docs' } })
      expect(ids[0]).toBe(wanted)
      expect(ids).toHaveLength(3)
    })

    test('keeps to kinds', async () => {
      await put('Asked: build the docs.')
      const fact = await put('The docs are built by make docs.', { kind: 'fact' })
      expect(await find('docs', { kinds: ['fact', 'preference'] })).toEqual([fact])
    })

    test('shows somebody with some chats and machines nothing of others', async () => {
      const [mine, foreign] = [randomUUID(), randomUUID()]
      const both = await put('Asked: build the docs.', { like: [1], chatId: 5, agentId: mine })
      await put('Asked: build the docs.', { like: [2], chatId: 6, agentId: mine })
      await put('Asked: build the docs.', { like: [3], chatId: 5, agentId: foreign })
      await put('Asked: build the docs.', { like: [4] })
      const own = await put('The docs are mine.', { kind: 'fact', personId: person })
      const ids = await find('docs', scope({ chats: ['5'], agents: [mine] }))
      expect(ids.sort()).toEqual([both, own].sort())
      expect(await find('docs', scope({ chats: [] }))).toEqual([own])
    })

    test('finds what the scope may see behind many that it may not', async () => {
      for (let n = 0; n < 300; n++) await put(`Asked: build the docs of part ${n}.`, { chatId: 6 })
      const mine = await put('Once, long before, somebody asked: build all of these docs.', { chatId: 5 })
      expect(await find('build the docs of part 7', scope({ chats: ['5'] }))).toEqual([mine])
    })

    test('keeps preferences to their person', async () => {
      const mine = await put('Prefers pnpm to npm.', { kind: 'preference', personId: person, like: [1] })
      await put('Prefers pnpm to npm.', { kind: 'preference', personId: randomUUID(), like: [2] })
      expect(await find('pnpm', scope({}))).toEqual([mine])
      expect(await find('pnpm')).toEqual([])
    })

    test('finds nothing of what is gone, and what was changed by its new words alone', async () => {
      const id = await put('Asked: calibrate the gyroscope.')
      expect(await find('gyroscope')).toEqual([id])
      await opened.sql.query(
        "UPDATE memory SET text = 'Asked: water the plants.', words = to_tsvector('english', 'water the plants') WHERE id = $1",
        [id],
      )
      await put('Asked: calibrate the compass.')
      expect((await find('water the plants'))[0]).toBe(id)
      expect((await find('calibrate the compass'))[0]).not.toBe(id)
      await opened.sql.query('DELETE FROM memory WHERE id = $1', [id])
      expect(await find('water the plants')).not.toContain(id)
    })
  })
}
