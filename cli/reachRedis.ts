import { Redis } from 'ioredis'
import { messageOf } from '../core/config/logger.ts'
import { ConfigError } from '../core/config/settings.ts'

const TIMEOUT_MS = 5000

/** What SKYNET needs to know of a Redis. */
export type RedisFacts = { evicts: boolean; appendOnly: boolean }

/** Makes sure that Redis answers and returns how it is set up. Rejects with ConfigError when it does not answer. */
export async function reachRedis(url: string): Promise<RedisFacts> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  let refusal: unknown = null
  redis.on('error', (error) => {
    refusal = error
  })
  try {
    await redis.connect()
    await redis.ping()
    return await factsOf(redis)
  } catch (error) {
    const why = messageOf(refusal ?? error)
    throw new ConfigError(
      `REDIS_URL: Redis at ${new URL(url).host} does not answer (${why}). Start it, correct the setting, or unset it.`,
    )
  } finally {
    redis.disconnect()
  }
}

/** Hosted Redis may refuse CONFIG: then nothing is known against it. */
async function factsOf(redis: Redis): Promise<RedisFacts> {
  const read = async (name: string): Promise<string | null> => {
    const answer = await redis.config('GET', name).catch(() => null)
    return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : null
  }
  const [policy, aof] = [await read('maxmemory-policy'), await read('appendonly')]
  return { evicts: policy !== null && policy !== 'noeviction', appendOnly: aof !== 'no' }
}
