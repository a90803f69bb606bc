import { searchWords } from '../core/memory/words.ts'
import type { Database } from '../core/storage/openDatabase.ts'
import { Random } from '../tests/support/random.ts'

const VOCABULARY = 20_000
const STEP = 5000

const letters = 'etaoinshrdlucmfwypvbgkjqxz'
/** A made-up word that differs from the others. */
const wordOf = (n: number): string => {
  let out = ''
  for (let rest = n + 400; rest > 0; rest = Math.floor(rest / 20)) out += letters[rest % 20]
  return out
}
/** Common words often, rare ones seldom, as in texts (Zipf). */
const someWord = (r: Random): string => wordOf(Math.floor(Math.exp(r.next() * Math.log(VOCABULARY))) - 1)

const commands = [
  'npm test',
  'npm run build',
  'git status',
  'git commit',
  'docker ps',
  'systemctl restart',
  'cat',
  'ls -la',
  'pytest',
  'cargo build',
]
const words = (r: Random, count: number): string => Array.from({ length: count }, () => someWord(r)).join(' ')

/** A text like a memory's: half of it says what all of them say. */
const textOf = (r: Random): string =>
  `Asked: ${words(r, 6)}\nOn laptop in /work/${someWord(r)}. Done: ${r.pick(commands)} ${words(r, 3)} (ok); ${r.pick(commands)} ${words(r, 2)} (exit 1).\nIt failed at: ${r.pick(commands)} ${words(r, 3)}.`

/** Adds memories until there are so many, always the same ones. */
export async function fillMemories(db: Database, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += STEP) {
    const count = Math.min(STEP, to - at)
    const texts = Array.from({ length: count }, (_, n) => textOf(new Random(at + n + 1)))
    await db.query(
      `INSERT INTO memory (kind, key, text, outside, succeeded, times, last_at, words)
       SELECT 'task', 'b' || ($1::int + x.n), x.text, false, x.n % 3 > 0, 1 + x.n % 7, now() - (x.n % 5000) * interval '1 hour', strip(to_tsvector('english', x.words))
       FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS x(text, words, n)`,
      [at, texts, texts.map(searchWords)],
    )
  }
  await db.query('ANALYZE memory')
}

/** What people ask: a few words, common and rare, one in four with a slip of the thumb. */
export function questions(count: number): string[] {
  const r = new Random(77)
  return Array.from({ length: count }, (_, n) => {
    const asked = `why did ${r.pick(commands)} fail ${words(r, 1 + r.int(5))}`
    return n % 4 === 0 ? asked.replace(/(\w)(\w)(\w*)$/, '$2$1$3') : asked
  })
}
