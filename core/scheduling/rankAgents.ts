import { placeLabel } from '../fleet/choosePlace.ts'
import { isInside, resolvePath } from '../planning/resolvePath.ts'
import { canonicalPath } from '../protocol/canonicalPath.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { AGENT_SLOTS } from './claimTasks.ts'

/** What a task needs of its agent. What is left out, any agent has. */
export type Need = {
  action?: string | undefined
  /** What it must be able to do besides. */
  capabilities?: readonly string[] | undefined
  /** The directory it works in; `~` and relative ones are read on each machine. */
  cwd?: string | undefined
  /** The directory of the project it belongs to. */
  projectDir?: string | undefined
  /** Taken before all others, if it can do it. */
  agentId?: string | undefined
  /** Who ran this chat's last work is nearer. */
  chatId?: number | null | undefined
}

/** What the ledger knows of an agent that could take a task. */
export type Candidate = {
  agentId: string
  name: string
  facts: AgentFacts
  connected: boolean
  /** Milliseconds since it was last heard of; null: never. */
  silentMs: number | null
  /** The best of the gateways that reach it. */
  gateway: { name: string; successRate: number; open: boolean } | null
  /** Attempts it holds, and tasks that wait for it (counted to 1,000). */
  running: number
  queued: number
  /** Its last attempts that ended, and how many of them it did not refuse or lose. */
  ended: number
  kept: number
  /** It ran the last work of the chat that asks. */
  lastOfChat: boolean
}

export type Part = 'health' | 'load' | 'history' | 'locality'
export type Ranked = {
  agentId: string
  name: string
  facts: AgentFacts
  /** Whether it can do it at all: capabilities and roots. */
  eligible: boolean
  /** Whether it could begin now: connected, through a gateway that answers. */
  ready: boolean
  /** The directory it would work in. */
  cwd: string
  /** 0 to 100: the parts, each 0 to 1, by their weights. */
  score: number
  parts: Record<Part, { value: number; reason: string }>
  /** Why it cannot do it; none when it can. */
  obstacles: string[]
}

/** Hundredths of the score. */
const weights: Record<Part, number> = { health: 40, load: 25, history: 20, locality: 15 }
/** Cores of a machine that does not tell. */
const CORES = 4
/** Silence of a connected agent counts from here, and halves its health at the end (then it is disconnected). */
const FRESH_MS = 10_000
const SILENT_MS = 30_000

/**
 * Every candidate in the order in which SKYNET would choose: those that can do it before those that cannot, the one
 * asked for first, those that could begin now before the rest, then by score, then by name and id. Pure; the same
 * candidates in any order give the same list.
 */
export function rankAgents(need: Need, candidates: readonly Candidate[]): Ranked[] {
  const wanted = (ranked: Ranked): number => Number(ranked.agentId === need.agentId)
  return candidates
    .map((candidate) => rankOne(need, candidate))
    .sort(
      (a, b) =>
        Number(b.eligible) - Number(a.eligible) ||
        wanted(b) - wanted(a) ||
        Number(b.ready) - Number(a.ready) ||
        b.score - a.score ||
        compare(a.name, b.name) ||
        compare(a.agentId, b.agentId),
    )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function rankOne(need: Need, candidate: Candidate): Ranked {
  const { agentId, name, facts } = candidate
  const cwd = directoryOf(need, facts)
  const obstacles = obstaclesOf(need, facts, cwd)
  const parts = {
    health: healthOf(candidate),
    load: loadOf(candidate),
    history: historyOf(candidate),
    locality: localityOf(need, candidate),
  }
  return {
    agentId,
    name,
    facts,
    eligible: obstacles.length === 0,
    ready: candidate.connected && candidate.gateway?.open === false,
    cwd,
    score: scoreOf(parts),
    parts,
    obstacles,
  }
}

/** Rounded, so that what people see decides. */
function scoreOf(parts: Ranked['parts']): number {
  const names = Object.keys(weights) as Part[]
  return Math.round(names.reduce((sum, part) => sum + weights[part] * parts[part].value, 0) * 10) / 10
}

/** The directory asked for, else the project's where it is inside the roots, else the first root. */
function directoryOf({ cwd, projectDir }: Need, facts: AgentFacts): string {
  const place = { cwd: facts.roots[0] ?? '/', home: facts.home }
  if (cwd !== undefined) return resolvePath(place, cwd)
  const project = projectDir === undefined ? null : resolvePath(place, projectDir)
  return project !== null && isInRoots(project, facts) ? project : place.cwd
}

function isInRoots(path: string, facts: AgentFacts): boolean {
  const place = { cwd: facts.roots[0] ?? '/', home: facts.home, platform: facts.platform, links: facts.links }
  const name = (given: string) => canonicalPath(given, place)
  return isInside(name(path), facts.roots.map(name))
}

function obstaclesOf({ action, capabilities = [] }: Need, facts: AgentFacts, cwd: string): string[] {
  const wanted = [...new Set([...(action === undefined ? [] : [action]), ...capabilities])]
  const able: ReadonlySet<string> = new Set(facts.capabilities)
  const missing = wanted.filter((capability) => !able.has(capability))
  return [
    ...missing.map((capability) => `cannot do ${capability}`),
    ...(isInRoots(cwd, facts) ? [] : [`${cwd} is outside its directories`]),
  ]
}

type Judged = { value: number; reason: string }

function healthOf({ connected, silentMs, gateway }: Candidate): Judged {
  if (!connected) return { value: 0, reason: 'not connected' }
  if (!gateway) return { value: 0, reason: 'no gateway reaches it' }
  if (gateway.open) return { value: 0, reason: `gateway ${gateway.name} does not answer` }
  const silent = Math.min(1, Math.max(0, (silentMs ?? SILENT_MS) - FRESH_MS) / (SILENT_MS - FRESH_MS))
  const seen = silent > 0 ? `connected, silent for ${Math.round((silentMs ?? 0) / 1000)} s` : 'connected'
  return {
    value: gateway.successRate * (1 - silent / 2),
    reason: `${seen}, gateway ${gateway.name} answers ${Math.round(gateway.successRate * 100)} %`,
  }
}

function loadOf({ running, queued, facts: { load } }: Candidate): Judged {
  const cores = load.cores ?? CORES
  const value = 1 / (1 + (running + queued) / AGENT_SLOTS + load.average / cores)
  const work =
    running + queued === 0
      ? 'idle'
      : `${running} running, ${queued >= 1000 ? '1000 or more' : queued} waiting`
  return { value, reason: `${work}, load ${load.average.toFixed(1)} on ${load.cores ?? '?'} cores` }
}

/** Two that went well are added, so that one failure of a newcomer does not condemn it. */
function historyOf({ ended, kept }: Candidate): Judged {
  return {
    value: (kept + 2) / (ended + 2),
    reason: ended === 0 ? 'no work yet' : `kept ${kept} of its last ${ended}`,
  }
}

function localityOf({ projectDir }: Need, { name, facts, lastOfChat }: Candidate): Judged {
  if (projectDir !== undefined) {
    const path = resolvePath({ cwd: facts.roots[0] ?? '/', home: facts.home }, projectDir)
    const label = placeLabel(name, facts.home, path).slice(name.length + 1)
    if (
      isInside(
        path,
        facts.repositories.map((r) => r.path),
      )
    )
      return { value: 1, reason: `has ${label}` }
    if (isInRoots(path, facts)) return { value: 0.6, reason: `${label} is in its directories` }
  }
  return lastOfChat
    ? { value: 0.5, reason: 'did the last work of this chat' }
    : {
        value: 0,
        reason: projectDir === undefined ? 'nothing speaks for its place' : 'does not have the project',
      }
}
