import { statfs } from 'node:fs/promises'
import { holderOf, type Listening } from '../checkPorts.ts'
import type { AllSettings } from '../checkSettings.ts'
import { readHealth } from '../watchHealth.ts'
import { type Finding, note, ok, wrong } from './finding.ts'

const ENOUGH_MB = 500

/** There is room for the ledger and for work. */
export async function checkDisk({
  control,
  agent,
}: Pick<AllSettings, 'control' | 'agent'>): Promise<Finding> {
  const rooms = await Promise.all([control.dataDir, ...agent.roots].map(roomAt))
  const there = rooms.filter((room) => room !== null)
  const least = there.toSorted((a, b) => a.mb - b.mb)[0]
  if (!least) return note('disk', 'nothing is there yet: the first start makes it')
  const text = `${least.mb > 10_000 ? `${(least.mb / 1024).toFixed(0)} GB` : `${least.mb} MB`} free at ${least.path}`
  return least.mb < ENOUGH_MB
    ? wrong('disk', text, `Free some space: below ${ENOUGH_MB} MB PostgreSQL may stop.`)
    : ok('disk', text)
}

const roomAt = (path: string): Promise<{ path: string; mb: number } | null> =>
  statfs(path).then(
    (room) => ({ path, mb: Math.floor((room.bavail * room.bsize) / 1024 ** 2) }),
    () => null,
  )

/** Nobody but SKYNET listens where SKYNET is to. Only what is wrong is told. */
export async function checkPlaces(places: readonly Listening[]): Promise<Finding[]> {
  const found = await Promise.all(
    places.map(async (place) => ((await holderOf(place)) === 'other' ? heldByOther(place) : null)),
  )
  return found.filter((finding) => finding !== null)
}

const heldByOther = ({ setting, port }: Listening): Finding =>
  wrong(
    'ports',
    `${setting}_PORT: port ${port} is held by another program`,
    `Stop it, or set ${setting}_PORT to a free port.`,
  )

/** The API answers at the address of the settings. */
export async function checkApi(url: string): Promise<Finding> {
  const missing = await readHealth(url)
  if (missing.length === 0) return ok('api', `${url}, all parts answer`)
  if (missing[0]?.startsWith('api:'))
    return wrong('api', `does not answer at ${url}`, 'Start SKYNET (`npm start`), or `skynet api`.')
  return wrong('api', `${url} says: ${missing.join('; ')}`, 'The lines below say how to mend each part.')
}
