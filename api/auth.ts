import type { FastifyRequest } from 'fastify'
import { RateLimit } from '../core/doors/rateLimit.ts'
import { findApiToken, hashToken, type KnownToken, type Scope } from '../core/people/apiTokens.ts'
import { permits } from '../core/people/methods.ts'
import type { Sql } from '../core/storage/sql.ts'
import { ApiError, tooMany } from './errors.ts'
import type { ApiOptions } from './options.ts'

/** Milliseconds a token's scopes are remembered: a revoked token stops within that time. */
const MEMORY_MS = 5000
/** Tokens remembered at most. */
const MAX_REMEMBERED = 1000

/** The token that a request came with. */
export type Caller = {
  tokenId: string
  name: string
  scopes: readonly Scope[]
  /** Whose token it is: it may what this person may. Null: what its scopes say. */
  person: KnownToken['person']
}

const wrongToken = (): ApiError =>
  new ApiError(401, 'UNAUTHORIZED', 'Send a valid bearer token (`skynet token new` makes one).')

/** Who may call what, and how often. */
export class Guard {
  readonly #db: Sql
  readonly #rate: RateLimit
  readonly #failures: RateLimit
  /** By the token's hash; those that were valid once are looked up even when their address guesses a lot. */
  readonly #remembered = new Map<string, { caller: Caller; until: number }>()

  constructor(db: Sql, options: Pick<ApiOptions, 'rate' | 'failures'>) {
    this.#db = db
    this.#rate = new RateLimit(options.rate)
    this.#failures = new RateLimit(options.failures)
  }

  /**
   * The caller, when the bearer token is known and has one of the scopes (admin has all), and whose it is may use the
   * method. Throws 401, 403, or 429 for too many requests; those of gateways are not counted.
   */
  async check(request: FastifyRequest, needed: readonly Scope[], method: string): Promise<Caller> {
    const caller = await this.#callerOf(request)
    const wait = caller.scopes.includes('gateway') ? 0 : this.#rate.take(caller.tokenId)
    if (wait > 0) throw tooMany(wait, 'Too many requests with this token; go slower.')
    if (!needed.some((scope) => caller.scopes.includes(scope)) && !caller.scopes.includes('admin'))
      throw new ApiError(403, 'FORBIDDEN', `This token lacks the scope "${needed.join('" or "')}".`)
    if (caller.person && !permits(caller.person, method))
      throw new ApiError(403, 'FORBIDDEN', 'The person whose token this is may not do this.')
    return caller
  }

  /** Whether the token of a request that goes on is still valid. */
  async holds(request: FastifyRequest): Promise<boolean> {
    const token = bearer(request)
    return token !== null && (await this.#lookUp(token)) !== null
  }

  async #callerOf(request: FastifyRequest): Promise<Caller> {
    const token = bearer(request)
    const wait =
      token !== null && this.#remembered.has(hashToken(token)) ? 0 : this.#failures.wait(request.ip)
    if (wait > 0) throw tooMany(wait, 'Too many requests without a valid token from this address.')
    const caller = token === null ? null : await this.#lookUp(token)
    if (caller) return caller
    this.#failures.take(request.ip)
    throw wrongToken()
  }

  async #lookUp(token: string): Promise<Caller | null> {
    const key = hashToken(token)
    const known = this.#remembered.get(key)
    if (known && known.until > performance.now()) return known.caller
    const found = await findApiToken(this.#db, token)
    this.#remembered.delete(key)
    if (!found) return null
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size >= MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
    const { id: tokenId, name, scopes, person } = found
    const caller = { tokenId, name, scopes, person }
    this.#remembered.set(key, { caller, until: performance.now() + MEMORY_MS })
    return caller
  }
}

const bearer = (request: FastifyRequest): string | null =>
  /^Bearer (\S{16,256})$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
