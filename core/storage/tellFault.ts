import { type Logger, messageOf } from '../config/logger.ts'
import { isDatabaseAway } from './databaseAway.ts'

/**
 * A line about a fault of work that goes on by itself. That the database is away is not said again by everyone who
 * notices: the database's own line tells of it (openDatabase).
 */
export function tellFault(log: Pick<Logger, 'warn' | 'debug'>, what: string, error: unknown): void {
  if (isDatabaseAway(error)) log.debug(`${what}: ${messageOf(error)}`)
  else log.warn(`${what}: ${messageOf(error)}`)
}
