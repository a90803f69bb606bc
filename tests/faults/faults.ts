import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Failpoints } from './failpoints.ts'
import type { Link, Passing } from './link.ts'
import type { Part } from './part.ts'
import type { Random } from './random.ts'
import type { Scope } from './recovery.ts'
import { type Machine, type Stand, UNREACHABLE_S } from './stand.ts'

export type World = { stand: Stand; random: Random; points: Failpoints }
/** One kind of fault. It resolves with whose work it met when it is over; with null when there was nobody to do it to. */
export type Fault = {
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

const machineOf = ({ stand, random }: World): Machine => random.pick(stand.machines)

/** A point that is not come to within this gives way to another at the next kill. */
const ARMED_MS = 25_000

/** Faults that are over in a moment. Whatever is killed comes back to die at a failpoint. */
export const quick: readonly Fault[] = [
  {
    name: 'kill -9',
    weight: 10,
    inject: async ({ stand, random, points }) => {
      const part = random.pick(stand.parts.filter(({ pid }) => pid !== null))
      const isArmed = part.armed !== null && performance.now() - part.armedAt < ARMED_MS
      if (!isArmed) part.arm(points.next(part.kind))
      await part.kill()
      return { what: `${part.name}, armed at ${part.armed}`, scope: scopeOf(stand, part) }
    },
  },
  {
    name: 'connections reset',
    weight: 3,
    inject: async ({ stand, random }) => {
      const link = random.pick(stand.links)
      link.cut()
      return { what: link.name, scope: everybody }
    },
  },
  {
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
    name: 'agent moves to the other gateway',
    weight: 1,
    inject: async (world) => {
      const { stand, random } = world
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
    name: 'stopped past the lease (SIGSTOP)',
    weight: 3,
    inject: async ({ stand, random }) => {
      const part = random.pick(stand.parts)
      part.signal('SIGSTOP')
      await delay(random.between(10_500, 13_000))
      part.signal('SIGCONT')
      return { what: part.name, scope: scopeOf(stand, part) }
    },
  },
  {
    name: 'network holds everything up',
    weight: 4,
    inject: async ({ stand, random }) => {
      const [link, passing] = [random.pick(stand.links), random.pick(passings)]
      await holdUp([link], passing, random.between(1000, 14_000))
      return { what: `${link.name}: ${passing.name}`, scope: everybody }
    },
  },
  ...(['fast', 'immediate'] as const).map((how) => ({
    name: `PostgreSQL restarted (${how})`,
    weight: 2,
    inject: async ({ stand, random }: World) => {
      await stand.postgres.restart(how, random.between(0, 2500))
      return { what: how, scope: everybody }
    },
  })),
  {
    name: 'Redis restarted, empty',
    weight: 2,
    inject: async ({ stand, random }) => {
      if (!stand.redis) return null
      await stand.redis.restart(random.between(0, 2500))
      return { what: 'redis', scope: everybody }
    },
  },
  {
    name: 'FLUSHALL',
    weight: 2,
    inject: async ({ stand }) => {
      if (!stand.redis) return null
      await stand.redis.flush()
      return { what: 'redis', scope: everybody }
    },
  },
  {
    name: 'clock ten minutes off',
    weight: 2,
    inject: async ({ stand, random }) => {
      if (!libfaketime) return null
      const [part, sign] = [random.pick(stand.parts), random.pick(['+', '-'])]
      part.extra = { LD_PRELOAD: libfaketime, FAKETIME: `${sign}600s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
      part.armed = null
      await part.kill()
      await delay(random.between(5000, 9000))
      part.extra = {}
      await part.kill()
      return { what: `${part.name} ${sign}10 min`, scope: scopeOf(stand, part) }
    },
  },
  {
    name: "agent's disk full",
    weight: 2,
    inject: async (world) => {
      const { disk, agentId, name } = machineOf(world)
      if (!disk.canFill) return null
      disk.fill()
      await delay(world.random.between(1000, 5000))
      disk.empty()
      return { what: name, scope: [agentId] }
    },
  },
  {
    name: "agent's journal torn",
    weight: 2,
    inject: async (world) => {
      const { disk, part, agentId, name } = machineOf(world)
      await part.hold()
      disk.tear(world.random)
      part.release()
      return { what: name, scope: [agentId] }
    },
  },
  {
    name: 'agent unheard of for long',
    weight: 2,
    inject: async (world) => {
      const { links, agentId, name } = machineOf(world)
      const passing = world.random.pick(passings)
      await holdUp(links, passing, (SILENCE_S + UNREACHABLE_S + world.random.between(1, 5)) * 1000)
      return { what: `${name}: ${passing.name}`, scope: [agentId] }
    },
  },
  {
    name: 'agent away for long',
    weight: 1,
    inject: async (world) => {
      const { part, agentId, name } = machineOf(world)
      await part.hold()
      await delay((UNREACHABLE_S + world.random.between(2, 6)) * 1000)
      part.release()
      return { what: name, scope: [agentId] }
    },
  },
]
