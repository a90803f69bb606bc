import pg from 'pg'
import { isDatabaseAway } from './databaseAway.ts'

/**
 * Anything that runs SQL: the pool, or one transaction on it. Statements of a transaction run in the order they were
 * asked for, each with a snapshot of its own; those that do not need each other's answers are best asked for at once
 * (`Promise.all`): they then go to the server together.
 */
export type Sql = {
  query<R extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<R[]>
}

/** One transaction; what is given to `afterCommit` is called once it has committed, and never when it has not. */
export type Tx = Sql & { afterCommit(effect: () => void): void }

/**
 * A condition that rows found by another one have to meet: no index is searched for it. Of a column such as the status,
 * whose values are few, an index finds far too much, and a plan made on an empty ledger cannot know.
 */
export const beside = (condition: string): string => `(${condition}) IS TRUE`

/** `bigint` columns (Telegram ids, event numbers) stay below 2^53 and are read as numbers. */
const parsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/** Statements prepared per connection at most: the product's own number about 150. */
const MAX_PREPARED = 500
const names = new Map<string, string>()

/**
 * The name under which a statement is prepared, so that PostgreSQL parses and plans it once per connection; texts
 * beyond the limit are not prepared. The texts are the product's own, so there are few of them.
 */
function preparedName(text: string): string | undefined {
  const known = names.get(text)
  if (known || names.size >= MAX_PREPARED) return known
  const name = `s${names.size}`
  names.set(text, name)
  return name
}

/** PostgreSQL's text has no NUL: it becomes U+FFFD. */
const storable = (value: unknown): unknown =>
  typeof value === 'string'
    ? value.replaceAll('\0', '\ufffd')
    : Array.isArray(value)
      ? value.map(storable)
      : value

export const sqlOf = (client: pg.Pool | pg.PoolClient): Sql => ({
  query: async <R extends object>(text: string, values: readonly unknown[] = []) => {
    const name = preparedName(text)
    const query = { text, values: values.map(storable), types: parsers, ...(name ? { name } : {}) }
    return (await client.query<R & pg.QueryResultRow>(query)).rows
  },
})

/**
 * Runs `work` in one transaction and commits; rolls back and rethrows when it throws. Serialization failures and
 * deadlocks are tried again, up to three times in all: `work` must have no effects but its SQL.
 */
export async function transaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await once(pool, work)
    } catch (error) {
      if (tries >= 3 || !isRetryable(error)) throw error
    }
  }
}

async function once<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  // Between two statements nobody else listens: a server that goes away then would end the process.
  const lost = (error: Error): void => {
    broken = error
  }
  client.on('error', lost)
  let open = true
  const sql = sqlOf(client)
  const query: Sql['query'] = (text, values) =>
    open ? sql.query(text, values) : Promise.reject(new Error('the transaction has ended'))
  try {
    // Sent ahead of the first statement, on the same way: nobody waits for it alone.
    const begun = client.query({ name: 'begin', text: 'BEGIN' })
    begun.catch(() => {})
    const effects: (() => void)[] = []
    const result = await work({ query, afterCommit: (effect) => effects.push(effect) })
    open = false
    await begun
    await client.query({ name: 'commit', text: 'COMMIT' })
    for (const effect of effects) effect()
    return result
  } catch (error) {
    open = false
    if (error instanceof Error && isDatabaseAway(error)) broken = error
    else
      await client.query('ROLLBACK').catch((e: Error) => {
        broken = e
      })
    throw error
  } finally {
    client.off('error', lost)
    client.release(broken)
  }
}

const isRetryable = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01')
