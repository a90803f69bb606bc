import type { FastifyRequest } from 'fastify'
import type { Deps } from '../core/deps.ts'
import { type Scope, scopesOf } from '../core/people/apiTokens.ts'
import { ApiError } from './errors.ts'

/** Milliseconds a token's scopes are remembered: a revoked token stops within that time. */
const MEMORY_MS = 5000

/** A check for routes: the bearer token is known and has the scope (admin has all). Throws 401 or 403. */
export function requireScope(deps: Pick<Deps, 'db'>) {
  const remembered = new Map<string, { scopes: Scope[]; until: number }>()
  const lookUp = async (token: string): Promise<Scope[] | null> => {
    const known = remembered.get(token)
    if (known && known.until > Date.now()) return known.scopes
    const scopes = await scopesOf(deps.db, token)
    if (remembered.size > 1000) remembered.clear()
    if (scopes) remembered.set(token, { scopes, until: Date.now() + MEMORY_MS })
    else remembered.delete(token)
    return scopes
  }
  return (scope: Scope) => async (request: FastifyRequest) => {
    const token = /^Bearer (\S{16,256})$/.exec(request.headers.authorization ?? '')?.[1]
    const granted = token ? await lookUp(token) : null
    if (!granted)
      throw new ApiError(401, 'UNAUTHORIZED', 'Send a valid bearer token (`skynet token new` makes one).')
    if (!granted.includes(scope) && !granted.includes('admin'))
      throw new ApiError(403, 'FORBIDDEN', `This token lacks the scope "${scope}".`)
  }
}
