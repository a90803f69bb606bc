import type { Deps } from '../deps.ts'
import { FetchRefused, type Net, safeFetch } from '../fetch/safeFetch.ts'
import { type Stored, storeGuide } from '../guides/storeGuide.ts'
import type { Actor } from '../people/actor.ts'
import { sha256 } from '../protocol/hash.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { type FoundFile, readSkillDirectory } from './readDirectory.ts'
import { MAX_SKILL_BYTES, readSkill, SkillFault, settleText } from './readSkill.ts'
import type { SkillSources } from './sources.ts'

type FetchText = (url: string, hosts: readonly string[]) => Promise<string>

/** An address is asked again after this. */
const URL_EVERY_MS = 3_600_000

/** Fetches a SKILL.md and nothing else. Throws FetchRefused. */
export const fetchSkill = async (url: string, hosts: readonly string[], net?: Net): Promise<string> =>
  settleText(await safeFetch(url, hosts, { bytes: MAX_SKILL_BYTES, ms: 15_000, redirects: 3 }, net))

type Looking = Pick<Deps, 'db'> & { settings: { skills: SkillSources } }

/**
 * Looks at the directory and at the addresses that are due, and puts what is new or changed into the ledger, inert. What is
 * wrong with a file or an address is kept, for `skynet doctor` and /skills. A skill that is no longer there stays what it was.
 * Idempotent; safe in several processes.
 */
export async function lookForSkillsOnce(
  { db, settings: { skills } }: Looking,
  fetchText: FetchText = fetchSkill,
): Promise<void> {
  await forgetOthers(db, skills)
  if (skills.dir !== null) await lookAtDirectory(db, skills.dir)
  for (const url of skills.urls) if (await isDue(db, url)) await lookAtUrl(db, url, skills.hosts, fetchText)
}

/** What was wrong at a place that the settings no longer name, once no process has looked there for a while. */
const forgetOthers = (sql: Sql, { dir, urls }: SkillSources): Promise<object[]> =>
  sql.query(
    `DELETE FROM skill_source WHERE looked_at < clock_timestamp() - interval '2 h' AND NOT (source = ANY($1) OR ($2 <> '' AND (source = $2 OR starts_with(source, $2 || '/'))))`,
    [urls, dir ?? ''],
  )

async function lookAtDirectory(db: Deps['db'], dir: string): Promise<void> {
  const found = await readSkillDirectory(dir)
  const known = await db.query<{ source: string; hash: string }>(
    "SELECT source, current_hash AS hash FROM guide WHERE kind = 'skill' AND starts_with(source, $1)",
    [dir],
  )
  const hashes = new Map(known.map(({ source, hash }) => [source, hash]))
  const faults: Fault[] = found.flatMap((file) =>
    'fault' in file ? [[file.source, file.fault] as const] : [],
  )
  const fresh = found.flatMap((file) => ('text' in file && !isKnown(hashes, file) ? [file] : []))
  for (let at = 0; at < fresh.length; at += TOGETHER)
    faults.push(...(await db.tx((tx) => storeFiles(tx, fresh.slice(at, at + TOGETHER)))))
  await keepFaults(db, dir, faults)
}

/** Files that are stored in one transaction. */
const TOGETHER = 100

type Fault = readonly [source: string, fault: string]
type TextFile = Extract<FoundFile, { text: string }>

const isKnown = (hashes: ReadonlyMap<string, string>, { source, text }: TextFile): boolean =>
  hashes.get(source) === sha256(text)

/** Stores files; returns what is wrong with them. */
async function storeFiles(tx: Tx, files: readonly TextFile[]): Promise<Fault[]> {
  const faults: Fault[] = []
  for (const { source, text } of files) {
    const fault = await storeSkill(tx, source, text, null).then(takenFault, (error: unknown) => {
      if (error instanceof SkillFault) return error.message
      throw error
    })
    if (fault !== null) faults.push([source, fault])
  }
  return faults
}

const takenFault = (stored: Stored & { name: string }): string | null =>
  stored.kind === 'taken' ? `there is a skill ${stored.name} already, from ${stored.source}` : null

/** Reads a skill's text and stores it, inert. Throws SkillFault. */
export async function storeSkill(
  tx: Tx,
  source: string,
  text: string,
  by: Actor,
): Promise<Stored & { name: string; description: string }> {
  const { name, description } = readSkill(text)
  const stored = await storeGuide(tx, { kind: 'skill', name, source, description, text }, by)
  return { ...stored, name, description }
}

/** The faults of a directory, as they are now. Writes only where something is different. */
async function keepFaults(sql: Sql, dir: string, faults: readonly Fault[]): Promise<void> {
  const sources = faults.map(([source]) => source)
  await sql.query(
    'DELETE FROM skill_source WHERE (source = $1 OR starts_with(source, $2)) AND NOT source = ANY($3)',
    [dir, `${dir}/`, sources],
  )
  await sql.query(
    `INSERT INTO skill_source AS s (source, fault) SELECT * FROM unnest($1::text[], $2::text[])
     ON CONFLICT (source) DO UPDATE SET fault = excluded.fault, looked_at = clock_timestamp()
     WHERE s.fault IS DISTINCT FROM excluded.fault`,
    [sources, faults.map(([, fault]) => fault)],
  )
}

/** Whether it is this process's turn to ask an address. */
async function isDue(sql: Sql, url: string): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO skill_source AS s (source) VALUES ($1)
     ON CONFLICT (source) DO UPDATE SET looked_at = clock_timestamp()
     WHERE s.looked_at < clock_timestamp() - $2 * interval '1 ms' RETURNING source`,
    [url, URL_EVERY_MS],
  )
  return rows.length > 0
}

async function lookAtUrl(
  db: Deps['db'],
  url: string,
  hosts: readonly string[],
  fetchText: FetchText,
): Promise<void> {
  const fault = await fetchAndStore(db, url, hosts, fetchText).catch((error: unknown) => {
    if (error instanceof SkillFault || error instanceof FetchRefused) return error.message
    throw error
  })
  await db.query('UPDATE skill_source SET fault = $2 WHERE source = $1', [url, fault])
}

async function fetchAndStore(
  db: Deps['db'],
  url: string,
  hosts: readonly string[],
  fetchText: FetchText,
): Promise<string | null> {
  const text = await fetchText(url, hosts)
  return takenFault(await db.tx((tx) => storeSkill(tx, url, text, null)))
}

export type SourceFault = { source: string; fault: string }

/** What is wrong where skills are looked for by these settings. */
export const listSkillFaults = (sql: Sql, { dir, urls }: SkillSources): Promise<SourceFault[]> =>
  sql.query<SourceFault>(
    `SELECT source, fault FROM skill_source WHERE fault IS NOT NULL
     AND (source = ANY($1) OR ($2 <> '' AND (source = $2 OR starts_with(source, $2 || '/')))) ORDER BY source LIMIT 100`,
    [urls, dir ?? ''],
  )
