import type { Sql } from '../storage/sql.ts'
import { DIMENSIONS } from './embedder.ts'
import { visible } from './scope.ts'

/** The first version that goes on looking in the index when the scope left too few (`hnsw.iterative_scan`). */
const NEEDED = [0, 8] as const

/**
 * Embeddings have a table of their own, made where the database has pgvector: no migration, since most have none. What is
 * forgotten takes its embedding along; what is corrected loses it until it has a new one.
 */
const statements = [
  `CREATE TABLE IF NOT EXISTS memory_embedding (
    memory_id bigint PRIMARY KEY REFERENCES memory (id) ON DELETE CASCADE, model text NOT NULL, embedding vector(${DIMENSIONS}) NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS memory_embedding_near ON memory_embedding USING hnsw (embedding vector_cosine_ops)',
  // Who is at work on which, and what has to wait since its provider refused it.
  `CREATE TABLE IF NOT EXISTS memory_embedding_turn (
    memory_id bigint PRIMARY KEY REFERENCES memory (id) ON DELETE CASCADE, tries int NOT NULL DEFAULT 0, until timestamptz NOT NULL)`,
  `CREATE OR REPLACE FUNCTION memory_embedding_outdated() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     DELETE FROM memory_embedding WHERE memory_id = NEW.id;
     DELETE FROM memory_embedding_turn WHERE memory_id = NEW.id;
     RETURN NULL;
   END $$`,
  `CREATE OR REPLACE TRIGGER memory_embedding_outdated AFTER UPDATE ON memory FOR EACH ROW
   WHEN (OLD.text IS DISTINCT FROM NEW.text) EXECUTE FUNCTION memory_embedding_outdated()`,
  // The library's settings are known once it is loaded.
  "SELECT '[1]'::vector",
  // A function, since its settings hold while it is planned: the planner takes the conditions for so telling that it would
  // go through all embeddings and sort them. With the index in the lead, it goes on in it until enough have met them.
  `CREATE OR REPLACE FUNCTION memory_near(asked vector, model text, person uuid, chats text[], agents text[], kinds text[], most int)
   RETURNS TABLE (id bigint, distance float8) LANGUAGE sql STABLE SET enable_sort = off SET enable_seqscan = off
   SET hnsw.iterative_scan = 'relaxed_order' SET hnsw.ef_search = 100 AS $$
     SELECT m.id, e.embedding <=> $1 FROM memory_embedding e JOIN memory m ON m.id = e.memory_id
     WHERE e.model = $2 AND ${visible(3)} AND ($6 IS NULL OR m.kind = ANY($6)) ORDER BY e.embedding <=> $1 LIMIT $7 $$`,
]

/** Makes what vectors need, in the caller's transaction. False, and nothing made, where pgvector is too old. */
export async function prepareVectors(tx: Sql): Promise<boolean> {
  const [row] = await tx.query<{ version: string }>(
    "SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
  )
  const [major = 0, minor = 0] = (row?.version ?? '').split('.').map(Number)
  if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) return false
  for (const statement of statements) await tx.query(statement)
  return true
}
