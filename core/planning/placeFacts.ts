import type { ActionName } from '../protocol/actions.ts'
import type { Repository } from '../protocol/frames.ts'
import type { LastTests } from './lastTests.ts'
import { isInside } from './resolvePath.ts'

/** The place a request is planned for: an agent, what it told of itself, and the directory. */
export type PlaceFacts = {
  agentId: string
  agentName: string
  machineId: string
  platform: string
  home: string
  /** Absolute directories the agent may work in. */
  roots: string[]
  /** Absolute directory, inside a root. */
  cwd: string
  /** The repository `cwd` is in, if any. */
  repository: Repository | null
  /** All repositories the agent told of. */
  repositories: Repository[]
  capabilities: ActionName[]
  /** How the tests of the place ended last; nothing when that is not known. */
  lastTests?: LastTests | null
}

/** The place with its repository found, where the caller left it open: the innermost one around `cwd`. Pure. */
export function locate(place: PlaceFacts): PlaceFacts {
  if (place.repository) return place
  const around = place.repositories
    .filter((r) => isInside(place.cwd, [r.path]))
    .sort((a, b) => b.path.length - a.path.length)
  return { ...place, repository: around[0] ?? null }
}
