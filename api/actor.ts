import { outsideLine, outsideOf } from '../core/people/entitlements.ts'
import { permits } from '../core/people/methods.ts'
import { tokenPerson } from '../core/people/tokenPerson.ts'
import type { Tx } from '../core/storage/sql.ts'
import type { Caller } from './auth.ts'
import type { RouteDeps } from './deps.ts'
import { ApiError } from './errors.ts'

/** Does something in one transaction as the person of the caller's token, or the one who stands for it. */
export const actAs = <T>(
  deps: Pick<RouteDeps, 'db'>,
  caller: Caller,
  act: (tx: Tx, personId: string) => Promise<T>,
): Promise<T> => deps.db.tx(async (tx) => act(tx, await tokenPerson(tx, caller)))

/** Throws 403 unless whose token it is may use this method on this run: own or any, of their chats and machines. */
export async function needRun(tx: Tx, { person }: Caller, method: string, runId: string): Promise<void> {
  if (!person) return
  const own = await tx.query('SELECT 1 FROM run WHERE id = $1 AND person_id = $2', [runId, person.id])
  if (!permits(person, method, { own: own.length > 0 }))
    throw new ApiError(403, 'FORBIDDEN', 'Only who asked for it, approvers and owners may do this.')
  const outside = await outsideOf(tx, person.id, runId)
  if (outside) throw new ApiError(403, 'NOT_ENTITLED', outsideLine(outside))
}
