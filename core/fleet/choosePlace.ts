import type { Sql } from '../storage/sql.ts'
import { listMachines, type Machine } from './machineFacts.ts'

export type Place = { agentId: string; agentName: string; cwd: string; label: string }
export type Chosen =
  | { kind: 'place'; place: Place }
  | { kind: 'pick'; places: Place[] }
  | { kind: 'none' }
  | { kind: 'unknown'; asked: string; places: Place[] }

/** How people see a directory: `laptop:~/api`. */
export const placeLabel = (agentName: string, home: string, cwd: string): string =>
  `${agentName}:${home !== '' && (cwd === home || cwd.startsWith(`${home}/`)) ? `~${cwd.slice(home.length)}` : cwd}`

const placeOf = (machine: Machine, cwd: string): Place => ({
  agentId: machine.agentId,
  agentName: machine.name,
  cwd,
  label: placeLabel(machine.name, machine.facts.home, cwd),
})

/** All places there are: each repository, then each root, of machines that are there first. */
export function allPlaces(machines: Machine[]): Place[] {
  const sorted = [...machines].sort((a, b) => Number(b.connected) - Number(a.connected))
  return sorted.flatMap((m) => [
    ...m.facts.repositories.map((r) => placeOf(m, r.path)),
    ...m.facts.roots.map((root) => placeOf(m, root)),
  ])
}

export type Wish = { machine?: string; directory?: string }

/** The place a person named, by machine name and repository name, root name or absolute path below a root. */
export function namedPlace(machines: Machine[], wish: Wish): Place | null {
  const wanted = machines.filter((m) => !wish.machine || m.name.toLowerCase() === wish.machine.toLowerCase())
  const { directory } = wish
  const found = wanted.flatMap((m) =>
    directory
      ? directoriesNamed(m, directory).map((cwd) => placeOf(m, cwd))
      : m.facts.roots.slice(0, 1).map((cwd) => placeOf(m, cwd)),
  )
  return found[0] ?? null
}

function directoriesNamed(machine: Machine, name: string): string[] {
  const { repositories, roots, home } = machine.facts
  const byName = repositories.filter((r) => r.name.toLowerCase() === name.toLowerCase()).map((r) => r.path)
  const path = name.startsWith('~') ? home + name.slice(1) : name
  const inside =
    path.startsWith('/') &&
    !path.split('/').includes('..') &&
    roots.some((root) => path === root || path.startsWith(`${root}/`))
      ? [path.replace(/\/+$/, '')]
      : []
  const rootNamed = roots.filter((root) => root.split('/').at(-1)?.toLowerCase() === name.toLowerCase())
  return [...byName, ...inside, ...rootNamed]
}

export type Asker = { chatId: number; topicId: number; personId: string }

/**
 * Where a request works, in the order of 6-chat: the place named, the person's choice in this chat or topic, the
 * only one there is; else a list to pick from, last used first. A command on the only machine works in its first
 * root; a request there works in the only repository.
 */
export async function choosePlace(
  sql: Sql,
  asker: Asker,
  kind: 'command' | 'request',
  wish: Wish | null,
): Promise<Chosen> {
  const machines = await listMachines(sql)
  if (machines.length === 0) return { kind: 'none' }
  const list = () => lastUsedFirst(sql, asker.personId, allPlaces(machines))
  if (wish) {
    const place = namedPlace(machines, wish)
    if (place) return { kind: 'place', place }
    return {
      kind: 'unknown',
      asked: [wish.machine, wish.directory].filter(Boolean).join(':'),
      places: await list(),
    }
  }
  const own = await ownPlace(sql, asker, machines)
  if (own) return { kind: 'place', place: own }
  const [single] = machines
  const only = machines.length === 1 && single ? onlyPlace(single, kind) : null
  return only ? { kind: 'place', place: only } : { kind: 'pick', places: await list() }
}

function onlyPlace(machine: Machine, kind: 'command' | 'request'): Place | null {
  const { roots, repositories } = machine.facts
  if (kind === 'command') return roots[0] ? placeOf(machine, roots[0]) : null
  if (repositories.length === 1 && repositories[0]) return placeOf(machine, repositories[0].path)
  return repositories.length === 0 && roots.length === 1 && roots[0] ? placeOf(machine, roots[0]) : null
}

async function ownPlace(sql: Sql, asker: Asker, machines: Machine[]): Promise<Place | null> {
  const [row] = await sql.query<{ agent_id: string; cwd: string }>(
    'SELECT agent_id, cwd FROM place_choice WHERE chat_id = $1 AND topic_id = $2 AND person_id = $3',
    [asker.chatId, asker.topicId, asker.personId],
  )
  const machine = machines.find((m) => m.agentId === row?.agent_id)
  return row && machine ? placeOf(machine, row.cwd) : null
}

async function lastUsedFirst(sql: Sql, personId: string, places: Place[]): Promise<Place[]> {
  const used = await sql.query<{ agent_id: string; cwd: string }>(
    'SELECT agent_id, cwd FROM run WHERE person_id = $1 AND number > 0 AND agent_id IS NOT NULL GROUP BY agent_id, cwd ORDER BY max(number) DESC LIMIT 20',
    [personId],
  )
  const rank = (place: Place) => used.findIndex((u) => u.agent_id === place.agentId && u.cwd === place.cwd)
  return [...places].sort((a, b) => (rank(a) < 0 ? 99 : rank(a)) - (rank(b) < 0 ? 99 : rank(b)))
}

/** `/use`: this person's place in this chat or topic from now on. */
export const setPlace = (sql: Sql, asker: Asker, place: Pick<Place, 'agentId' | 'cwd'>): Promise<object[]> =>
  sql.query(
    `INSERT INTO place_choice (chat_id, topic_id, person_id, agent_id, cwd) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (chat_id, topic_id, person_id) DO UPDATE SET agent_id = $4, cwd = $5, updated_at = clock_timestamp()`,
    [asker.chatId, asker.topicId, asker.personId, place.agentId, place.cwd],
  )

/** Takes the place out of a request: `@laptop:api do it` or `do it in api on laptop`, when such a place exists. */
export async function readWish(sql: Sql, text: string): Promise<{ text: string; wish: Wish | null }> {
  const at = /^@([\w.-]+)(?::(\S+))?\s+([\s\S]+)$/.exec(text)
  if (at)
    return {
      text: at[3] ?? '',
      wish: { ...(at[1] ? { machine: at[1] } : {}), ...(at[2] ? { directory: at[2] } : {}) },
    }
  const spoken =
    /^([\s\S]+?)\s+(?:in\s+(\S+)\s+)?on\s+([\w.-]*\w)[.!?]*$/i.exec(text) ??
    /^([\s\S]+?)\s+in\s+(\S+?)()[.!?]*$/i.exec(text)
  if (!spoken) return { text, wish: null }
  const wish: Wish = {
    ...(spoken[3] ? { machine: spoken[3] } : {}),
    ...(spoken[2] ? { directory: spoken[2] } : {}),
  }
  return namedPlace(await listMachines(sql), wish) ? { text: spoken[1] ?? '', wish } : { text, wish: null }
}
