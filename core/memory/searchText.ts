import { kinWords } from '../planning/words.ts'
import type { Sql } from '../storage/sql.ts'
import { scopeValues, visible } from './scope.ts'
import { type Found, placeValues, placeWeight, type Question, type Search } from './search.ts'
import { searchWords } from './words.ts'

/** Words that are looked for, those that tell most. */
const MAX_WORDS = 16
/** Memories whose words are compared one by one, at most: the rarest words that together stand in no more decide. */
const MAX_COMPARED = 2000
/** So many of the newest are looked through for words that are in very many. */
const NEWEST = 4000
/** How much an unknown word counts that was taken for another one, times their likeness. */
const GUESSED = 0.8
/** How much a word counts that means about the same as one that was asked. */
const KIN = 0.5

/** `own`: it was asked, or taken for a word that was; else it only means about the same. */
type AskedWord = { word: string; own: boolean; memories: number; weight: number }

/**
 * Full-text search in PostgreSQL, with the words' rarity taken into account, which its own ranking leaves out; words
 * that no memory has are taken for the ones most like them by their trigrams, where the database has `pg_trgm`.
 */
export const searchText = ({ trigrams }: { trigrams: boolean }): Search => ({
  way: 'text',
  find: async (sql, question, limit) => {
    const asked = searchWords(question.text)
    const kin = searchWords([...new Set(asked.split(' ').flatMap(kinWords))].join(' '))
    const { words, all } = await wordsOf(sql, asked, kin, trigrams)
    const found = await Promise.all(
      branches(words, all, question).map((one) => compare(sql, question, words, one, limit)),
    )
    return best(found.flat(), limit)
  },
})

/** The stems of a question with how much each tells: more, the fewer memories have it. */
async function wordsOf(
  sql: Sql,
  asked: string,
  kin: string,
  trigrams: boolean,
): Promise<{ words: AskedWord[]; all: number }> {
  const rows = await sql.query<{ word: string; own: boolean; memories: number | null; all: number | null }>(
    `SELECT u.lexeme AS word, bool_or(u.own) AS own, max(w.memories) AS memories, (SELECT max(id) FROM memory)::int AS all FROM (
       SELECT lexeme, true AS own FROM unnest(to_tsvector('english', $1))
       UNION ALL SELECT lexeme, false FROM unnest(to_tsvector('english', $2))) u
     LEFT JOIN memory_word w ON w.word = u.lexeme GROUP BY u.lexeme`,
    [asked, kin],
  )
  const all = rows[0]?.all ?? 0
  const known = rows.flatMap(({ word, own, memories }) =>
    memories === null ? [] : [{ word, own, memories, weight: rarity(all, memories) * (own ? 1 : KIN) }],
  )
  const unknown = rows.flatMap(({ word, own, memories }) =>
    own && memories === null && word.length > 3 ? [word] : [],
  )
  const guessed = trigrams && unknown.length > 0 ? await likeThese(sql, unknown, all) : []
  const telling = [...known, ...guessed].sort((a, b) => b.weight - a.weight).slice(0, MAX_WORDS)
  return { words: telling.sort((a, b) => a.memories - b.memories), all }
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
    own: true,
    memories,
    weight: rarity(all, memories) * likeness * GUESSED,
  }))
}

const quoted = (word: string): string => `'${word.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`

/** One set of memories that are looked at: which, and by which words they are compared first. */
type Branch = { query: string; from: string; words: readonly AskedWord[] }

/**
 * Which memories are looked at: those with any of the rare words, and those with all of the common ones, where these are
 * many only among the newest (for somebody who may see only some, among all). Pure.
 */
function branches(words: readonly AskedWord[], all: number, { scope }: Question): Branch[] {
  let sum = 0
  const rare = words.filter(({ memories }) => {
    sum += memories
    return sum <= MAX_COMPARED
  })
  const common = words.slice(rare.length).filter(({ own }) => own)
  const telling = common.filter(({ memories }) => memories < all / 2)
  const shared = telling.length > 0 ? telling : common
  const expected = shared.reduce((part, { memories }) => (part * memories) / all, all)
  const queryOf = (some: readonly AskedWord[], how: string) => some.map(({ word }) => quoted(word)).join(how)
  return [
    { query: queryOf(rare, ' | '), from: 'memory', words: rare },
    {
      query: queryOf(shared, ' & '),
      from:
        expected <= MAX_COMPARED || scope.chats !== null || scope.agents !== null
          ? 'memory'
          : `(SELECT * FROM memory ORDER BY last_at DESC LIMIT ${NEWEST})`,
      words: shared,
    },
  ].filter(({ query }) => query !== '')
}

/** A long text has more words by chance; this many are taken for usual. */
const USUAL = 25
const brevity = `2.2 / (1 + 1.2 * (0.6 + 0.4 * length(m.words) / ${USUAL}.0))`

/**
 * The best of one branch: its memories are compared by the words that chose them, and the best of those by all words,
 * since each comparison of a memory with a word costs.
 */
async function compare(
  sql: Sql,
  { scope, place, kinds }: Question,
  words: readonly AskedWord[],
  branch: Branch,
  limit: number,
): Promise<Found[]> {
  const values: unknown[] = [
    branch.query,
    limit,
    ...scopeValues(scope),
    ...placeValues(place),
    kinds ?? null,
    words.reduce((sum, { weight, own }) => sum + (own ? weight : 0), 0) || 1,
  ]
  const sumOf = (some: readonly AskedWord[]): string =>
    some
      .map(({ word, weight }) => {
        const query = values.push(quoted(word))
        return `CASE WHEN m.words @@ $${query}::tsquery THEN $${values.push(weight)}::float8 ELSE 0 END`
      })
      .join(' + ')
  const first = sumOf(branch.words)
  return sql.query<Found>(
    `WITH near AS MATERIALIZED (
       SELECT m.id, m.last_at, m.words, ${brevity} * ${placeWeight(6)} AS factor, (${first}) * ${brevity} * ${placeWeight(6)} AS score
       FROM (SELECT * FROM ${branch.from} m WHERE m.words @@ $1::tsquery AND ${visible(3)} AND ($8::text[] IS NULL OR m.kind = ANY($8))
         LIMIT ${MAX_COMPARED}) m ORDER BY score DESC, m.last_at DESC LIMIT 4 * $2::int)
     SELECT id, least(1, score / $9::float8) AS relevance FROM (
       SELECT m.id, m.last_at, (${sumOf(words)}) * m.factor AS score FROM near m) x
     ORDER BY score DESC, last_at DESC LIMIT $2`,
    values,
  )
}

/** The best of all branches, each once. Pure. */
function best(found: readonly Found[], limit: number): Found[] {
  const byId = new Map(found.map((one) => [one.id, one]))
  return [...byId.values()].sort((a, b) => b.relevance - a.relevance).slice(0, limit)
}
