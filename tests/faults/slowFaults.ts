import { setTimeout as delay } from 'node:timers/promises'
import { everybody, type Fault, libfaketime, scopeOf, type World } from './faults.ts'
import type { Link, Passing } from './link.ts'
import { UNREACHABLE_S } from './stand.ts'

const passings: readonly (Passing & { name: string })[] = [
  { name: 'half-open', up: false, down: false },
  { name: 'one way, down', up: false, down: true },
  { name: 'one way, up', up: true, down: false },
]

async function holdUp(links: readonly Link[], passing: Passing, ms: number): Promise<void> {
  for (const link of links) link.pass(passing)
  await delay(ms)
  for (const link of links) link.pass({ up: true, down: true })
}

/** A gateway takes an agent for gone after this long. */
const SILENCE_S = 15

/** Faults that last. */
export const slow: readonly Fault[] = [
  {
    kind: 'stop',
    name: 'stopped past the lease (SIGSTOP)',
    weight: 3,
    inject: async ({ stand, random, take }) => {
      const part = take(stand.parts)
      if (!part) return null
      const { pid } = part
      part.signal('SIGSTOP')
      await delay(random.between(10_500, 13_000))
      const lived = pid !== null && part.pid === pid
      part.signal('SIGCONT')
      return lived ? { what: part.name, scope: scopeOf(stand, part) } : null
    },
  },
  {
    kind: 'held',
    name: 'network holds everything up',
    weight: 4,
    inject: async ({ stand, random, take }) => {
      const [link, passing] = [take(stand.links), random.pick(passings)]
      if (!link) return null
      await holdUp([link], passing, random.between(1000, 14_000))
      return { what: `${link.name}: ${passing.name}`, scope: everybody }
    },
  },
  ...(['fast', 'immediate'] as const).map((how) => ({
    kind: 'postgres',
    name: `PostgreSQL restarted (${how})`,
    weight: 2,
    inject: async ({ stand, random, take }: World) => {
      const postgres = take([stand.postgres])
      if (!postgres) return null
      await postgres.restart(how, random.between(0, 2500))
      return { what: how, scope: everybody }
    },
  })),
  {
    kind: 'redis',
    name: 'Redis restarted, empty',
    weight: 2,
    inject: async ({ stand, random, take }) => {
      const redis = stand.redis && take([stand.redis])
      if (!redis) return null
      await redis.restart(random.between(0, 2500))
      return { what: 'redis', scope: everybody }
    },
  },
  {
    kind: 'flush',
    name: 'FLUSHALL',
    weight: 2,
    inject: async ({ stand, take }) => {
      const redis = stand.redis && take([stand.redis])
      if (!redis) return null
      await redis.flush()
      return { what: 'redis', scope: everybody }
    },
  },
  {
    kind: 'clock',
    name: 'clock ten minutes off',
    weight: 2,
    inject: async ({ stand, random, take }) => {
      const [part, sign] = [take(stand.parts), random.pick(['+', '-'])]
      if (!libfaketime || !part) return null
      part.extra = { LD_PRELOAD: libfaketime, FAKETIME: `${sign}600s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
      part.armed = []
      await part.kill()
      await delay(random.between(5000, 9000))
      part.extra = {}
      await part.kill()
      return { what: `${part.name} ${sign}10 min`, scope: scopeOf(stand, part) }
    },
  },
  {
    kind: 'disk',
    name: "agent's disk full",
    weight: 2,
    inject: async ({ stand, random, take }) => {
      const machine = take(stand.machines)
      if (!machine?.disk.canFill) return null
      machine.disk.fill()
      await delay(random.between(1000, 5000))
      machine.disk.empty()
      return { what: machine.name, scope: [machine.agentId] }
    },
  },
  {
    kind: 'torn',
    name: "agent's journal torn",
    weight: 2,
    inject: async ({ stand, random, take }) => {
      const machine = take(stand.machines)
      if (!machine) return null
      const { disk, part, agentId, name } = machine
      await part.hold()
      disk.tear(random)
      part.release()
      return { what: name, scope: [agentId] }
    },
  },
  {
    kind: 'silent',
    name: 'agent unheard of for long',
    weight: 2,
    inject: async ({ stand, random, take }) => {
      const machine = take(stand.machines)
      if (!machine) return null
      const { links, agentId, name } = machine
      const passing = random.pick(passings)
      await holdUp(links, passing, (SILENCE_S + UNREACHABLE_S + random.between(1, 5)) * 1000)
      return { what: `${name}: ${passing.name}`, scope: [agentId] }
    },
  },
  {
    kind: 'away',
    name: 'agent away for long',
    weight: 1,
    inject: async ({ stand, random, take }) => {
      const machine = take(stand.machines)
      if (!machine) return null
      const { part, agentId, name } = machine
      await part.hold()
      await delay((UNREACHABLE_S + random.between(2, 6)) * 1000)
      part.release()
      return { what: name, scope: [agentId] }
    },
  },
]
