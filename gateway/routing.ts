import type { AttemptFrame } from '../core/protocol/frames.ts'

/** What a gateway last heard of an attempt. */
type RouteState = 'delivered' | 'accepted' | 'refused' | 'started' | 'finished' | 'exited' | 'lost'

export type Route = {
  executionId: string
  agentId: string
  /** Task and claim token; null for an attempt that this process only heard of. */
  key: string | null
  specHash: string | null
  state: RouteState
  /** The connection that its dispatch went over. */
  link: object | null
}

const states: Partial<Record<AttemptFrame['type'], RouteState>> = {
  accepted: 'accepted',
  refused: 'refused',
  started: 'started',
  result: 'finished',
  exited: 'exited',
  lost: 'lost',
}

/**
 * The attempts this gateway delivered or heard of, newest last, at most `limit`. A cache: the agent's journal
 * decides whether something was started before.
 */
export class Routes {
  readonly #byKey = new Map<string, Route>()
  readonly #byId = new Map<string, Route>()
  readonly #limit: number

  constructor(limit = 10_000) {
    this.#limit = limit
  }

  byKey(key: string): Route | undefined {
    return this.#byKey.get(key)
  }

  byId(executionId: string): Route | undefined {
    return this.#byId.get(executionId)
  }

  add(route: Route): void {
    this.#byId.delete(route.executionId)
    this.#byId.set(route.executionId, route)
    if (route.key) this.#byKey.set(route.key, route)
    for (const old of this.#byId.values()) {
      if (this.#byId.size <= this.#limit) break
      this.#byId.delete(old.executionId)
      if (old.key) this.#byKey.delete(old.key)
    }
  }

  /** A frame of an attempt passed by. */
  heard(agentId: string, frame: AttemptFrame): void {
    const state = states[frame.type]
    if (!state) return
    const route = this.#byId.get(frame.execution_id)
    if (!route)
      this.add({ executionId: frame.execution_id, agentId, key: null, specHash: null, state, link: null })
    else if (route.agentId === agentId && !(state === 'exited' && route.state === 'refused'))
      route.state = state
  }
}
