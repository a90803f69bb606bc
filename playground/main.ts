import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Deps } from '../core/deps.ts'
import { tellEvent } from '../core/events/tellEvent.ts'
import { listMachines } from '../core/fleet/machineFacts.ts'
import { tellFault } from '../core/storage/tellFault.ts'
import { ledgerPanel } from './panel.ts'
import { type Playground, startPlayground } from './server.ts'

/** The visitor of the chat page: a person like any other, owner from the start. */
export const visitor = { id: 7_000_001, first_name: 'You', username: 'visitor' } as const

/** The greeting names the machines that are there: it waits for the first, but not for ever. */
const GREET_WITHIN_MS = 10_000

function firstMachine(deps: Pick<Deps, 'db' | 'bus'>): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stop()
      clearTimeout(timer)
      resolve()
    }
    const look = () =>
      listMachines(deps.db).then(
        (machines) => machines.some((machine) => machine.connected) && end(),
        () => {},
      )
    const stop = deps.bus.subscribe('agents', () => void look())
    const timer = setTimeout(end, GREET_WITHIN_MS).unref()
    void look()
  })
}

/** The audit trail has every login; one that cannot be written is told in the log. */
const tellOpened = ({ db, log }: Pick<Deps, 'db' | 'log'>): Promise<void> =>
  db
    .tx((tx) => tellEvent(tx, 'page.opened', {}, { by: null, how: 'one-time link' }))
    .catch((error) => tellFault(log, 'the login at the chat page', error))

/** The local Telegram of this machine with its chat page, its state in the data directory. */
export function openPlayground(
  deps: Pick<Deps, 'db' | 'bus' | 'log'>,
  options: { dataDir: string; port: number; token: string },
): Promise<Playground> {
  return startPlayground({
    port: options.port,
    token: options.token,
    stateFile: join(options.dataDir, 'playground.jsonl'),
    visitor,
    botName: 'SKYNET',
    greet: firstMachine(deps),
    secret: randomBytes(18).toString('base64url'),
    panel: ledgerPanel(deps),
    onOpen: () => void tellOpened(deps),
    log: (line) => deps.log.debug(line),
  })
}
