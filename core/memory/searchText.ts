import type { Sql } from '../storage/sql.ts'
import { scopeValues, visible } from './scope.ts'
import { type Found, placeValues, placeWeight, type Question, type Search } from './search.ts'
import { searchWords } from './words.ts'

/** Words of a question that are looked for, the rarest first. */
const MAX_WORDS = 12
/** Memories whose words are compared one by one, at most: the rarest words that together stand in no more decide. */
const MAX_COMPARED = 3000
/** How much an unknown word counts that was taken for another one, times their likeness. */
const GUESSED = 0.8

type AskedWord = { word: string; memories: number; weight: number }

/**
 * Full-text search in PostgreSQL, with the words' rarity taken into account, which its own ranking leaves out; words
 * that no memory has are taken for the ones most like them by their trigrams, where the database has `pg_trgm`.
 */
export const searchText = ({ trigrams }: { trigrams: boolean }): Search => ({
  way: 'text',
  find: async (sql, question, limit) => {
    const words = await wordsOf(sql, searchWords(question.text), trigrams)
    if (words.length === 0) return []
    const found = await Promise.all(
      branches(words).map((branch) => compare(sql, question, words, branch, limit)),
    )
    return best(found.flat(), limit)
  },
})

/** The stems of a question with how much each tells: more, the fewer memories have it. */
async function wordsOf(sql: Sql, text: string, trigrams: boolean): Promise<AskedWord[]> {
  const rows = await sql.query<{ word: string; memories: number | null; all: number | null }>(
    `SELECT u.lexeme AS word, w.memories, (SELECT max(id) FROM memory)::int AS all
     FROM unnest(to_tsvector('english', $1)) u LEFT JOIN memory_word w ON w.word = u.lexeme`,
    [text],
  )
  const all = rows[0]?.all ?? 0
  const known = rows.flatMap(({ word, memories }) =>
    memories === null ? [] : [{ word, memories, weight: rarity(all, memories) }],
  )
  const unknown = rows.flatMap(({ word, memories }) => (memories === null && word.length > 3 ? [word] : []))
  const guessed = trigrams && unknown.length > 0 ? await likeThese(sql, unknown, all) : []
  return [...known, ...guessed].sort((a, b) => a.memories - b.memories).slice(0, MAX_WORDS)
}

/** The weight of a word that `memories` of `all` have (Robertson and Sparck Jones, as BM25 uses it). Pure. */
const rarity = (all: number, memories: number): number =>
  Math.log(1 + (Math.max(0, all - memories) + 0.5) / (memories + 0.5))

/** For each word the two known ones that are most like it. */
async function likeThese(sql: Sql, words: readonly string[], all: number): Promise<AskedWord[]> {
  const rows = await sql.query<{ word: string; memories: number; likeness: number }>(
    `SELECT x.word, x.memories, x.likeness FROM unnest($1::text[]) AS a(word), LATERAL (
       SELECT w.word, w.memories, similarity(w.word, a.word) AS likeness FROM memory_word w WHERE w.word % a.word
       ORDER BY likeness DESC, w.memories DESC LIMIT 2) x`,
    [words.slice(0, MAX_WORDS)],
  )
  return rows.map(({ word, memories, likeness }) => ({
    word,
    memories,
    weight: rarity(all, memories) * likeness * GUESSED,
  }))
}

const quoted = (word: string): string => `'${word.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`

/** Which memories are compared: those with any of the rare words, and those with all of the common ones. Pure. */
function branches(words: readonly AskedWord[]): string[] {
  let sum = 0
  const rare = words.filter(({ memories }) => {
    sum += memories
    return sum <= MAX_COMPARED
  })
  const common = words.slice(rare.length)
  return [
    rare.map(({ word }) => quoted(word)).join(' | '),
    common.map(({ word }) => quoted(word)).join(' & '),
  ].filter((query) => query !== '')
}

/** A long text has more words by chance; this many are taken for usual. */
const USUAL = 25

async function compare(
  sql: Sql,
  { scope, place, kinds }: Question,
  words: readonly AskedWord[],
  branch: string,
  limit: number,
): Promise<Found[]> {
  const values: unknown[] = [
    branch,
    limit,
    ...scopeValues(scope),
    ...placeValues(place),
    kinds ?? null,
    words.reduce((sum, { weight }) => sum + weight, 0),
  ]
  const terms = words.map(({ word, weight }) => {
    const query = values.push(quoted(word))
    return `CASE WHEN m.words @@ $${query}::tsquery THEN $${values.push(weight)}::float8 ELSE 0 END`
  })
  return sql.query<Found>(
    `SELECT id, least(1, score / $9::float8) AS relevance FROM (
       SELECT m.id, m.last_at, (${terms.join(' + ')}) * 2.2 / (1 + 1.2 * (0.6 + 0.4 * length(m.words) / ${USUAL}.0)) * ${placeWeight(6)} AS score
       FROM memory m WHERE m.words @@ $1::tsquery AND ${visible(3)} AND ($8::text[] IS NULL OR m.kind = ANY($8))) x
     ORDER BY score DESC, last_at DESC LIMIT $2`,
    values,
  )
}

/** The best of all branches, each once. Pure. */
function best(found: readonly Found[], limit: number): Found[] {
  const byId = new Map(found.map((one) => [one.id, one]))
  return [...byId.values()].sort((a, b) => b.relevance - a.relevance).slice(0, limit)
}
