import { tokenPerson } from '../core/people/tokenPerson.ts'
import type { Tx } from '../core/storage/sql.ts'
import type { Caller } from './auth.ts'
import type { RouteDeps } from './deps.ts'

/** Does something in one transaction as the person who stands for the caller's token. */
export const actAs = <T>(
  deps: Pick<RouteDeps, 'db'>,
  caller: Caller,
  act: (tx: Tx, personId: string) => Promise<T>,
): Promise<T> => deps.db.tx(async (tx) => act(tx, await tokenPerson(tx, caller)))
