import { rotateSigningKey } from '../core/config/secrets.ts'
import { duration, type Env } from '../core/config/settings.ts'
import { tellEvent } from '../core/events/tellEvent.ts'
import { commandLine, toldBy } from '../core/people/actor.ts'
import { withLedger } from './openLedger.ts'
import { UsageError } from './reportError.ts'

/** `skynet keys rotate`: a new key for grants, signed by the one before, which counts a while longer. */
export async function rotateKeysCommand(env: Env, overlap: string): Promise<void> {
  const parsed = duration.safeParse(overlap)
  if (!parsed.success)
    throw new UsageError(`--overlap: got ${overlap}; it takes a duration such as 0s, 24h or 7d.`)
  await withLedger(env, async ({ config, db }) => {
    const { old_key, new_key, old_until } = await rotateSigningKey(config.dataDir, new Date(), parsed.data)
    await tellEvent(db, 'keys.rotated', {}, { old_key, new_key, old_until, ...toldBy(commandLine()) })
    console.log(
      `Grants are signed by a new key from the next start on. Start SKYNET anew before ${old_until}.`,
    )
    console.log('Agents follow by themselves with their next task: the old key has signed for the new one.')
  })
}
