import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Failpoints } from './failpoints.ts'
import type { Link, Passing } from './link.ts'
import type { Part } from './part.ts'
import type { Random } from './random.ts'
import type { Scope } from './recovery.ts'
import { type Stand, UNREACHABLE_S } from './stand.ts'

export type World = {
  stand: Stand
  random: Random
  points: Failpoints
  /** Whether whoever is killed comes back to die at a failpoint. */
  arms: boolean
  /** One of these for this fault alone, until it is over; null when somebody else has it. */
  take<T extends object>(items: readonly T[]): T | null
}
/** One kind of fault. It resolves with whose work it met when it is over; with null when there was nobody to do it to. */
export type Fault = {
  /** What it is called on the command line (`--only`). */
  kind: string
  name: string
  weight: number
  inject(world: World): Promise<{ what: string; scope: Scope } | null>
}

const libfaketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib']
  .map((dir) => `${dir}/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file))

/** What cannot be done here, as a line for the report. */
export function missing({ machines, redis }: Stand): string[] {
  return [
    ...(libfaketime ? [] : ['clock skew: libfaketime is not installed (Debian: apt install libfaketime)']),
    ...(machines.every(({ disk }) => disk.canFill)
      ? []
      : ['full disk: this user may not mount a small file system']),
    ...(redis ? [] : ['restarts and FLUSHALL of Redis: this run has its queue on PostgreSQL']),
  ]
}

const everybody: Scope = null

function scopeOf(stand: Stand, part: Part): Scope {
  const machine = stand.machines.find((m) => m.part === part)
  return machine ? [machine.agentId] : everybody
}

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

/** Points that are not come to within this give way to others at the next kill. */
const ARMED_MS = 40_000

/** The next process of a part waits for failpoints, unless this one's have just been set. */
function arm({ points }: World, part: Part): void {
  if (part.armed.length === 0 || performance.now() - part.armedAt > ARMED_MS) part.arm(points.next(part.kind))
}

/** Faults that are over in a moment. */
export const quick: readonly Fault[] = [
  {
    kind: 'kill',
    name: 'kill -9',
    weight: 10,
    inject: async (world) => {
      const { stand, random } = world
      const part = random.pick(stand.parts)
      if (part.pid === null) return null
      if (world.arms) arm(world, part)
      await part.kill()
      return { what: `${part.name}, armed at ${part.armed.join(' ')}`, scope: scopeOf(stand, part) }
    },
  },
  {
    // The kill itself comes later, at a point. Parts that wait for one already are left alone.
    kind: 'points',
    name: 'kill -9 at a failpoint',
    weight: 2,
    inject: async (world) => {
      const part = world.random.pick(world.stand.parts)
      const before = part.armed
      arm(world, part)
      if (part.armed !== before) await part.kill()
      return null
    },
  },
  {
    kind: 'reset',
    name: 'connections reset',
    weight: 3,
    inject: async ({ stand, random }) => {
      const link = random.pick(stand.links)
      link.cut()
      return { what: link.name, scope: everybody }
    },
  },
  {
    kind: 'slow',
    name: 'slow network',
    weight: 1,
    inject: async ({ stand, random }) => {
      const link = random.pick(stand.links)
      link.slow(random.between(20, 400))
      await delay(random.between(500, 2000))
      link.slow(0)
      return { what: link.name, scope: everybody }
    },
  },
  {
    kind: 'move',
    name: 'agent moves to the other gateway',
    weight: 1,
    inject: async ({ stand, random }) => {
      const { links, agentId, name } = random.pick(stand.machines.filter((m) => m.links.length === 1))
      for (const link of links)
        link.target = stand.gatewayPorts.find((port) => port !== link.target) ?? link.target
      for (const link of links) link.cut()
      return { what: name, scope: [agentId] }
    },
  },
]

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

export const kinds: readonly string[] = [...new Set([...quick, ...slow].map(({ kind }) => kind))]
