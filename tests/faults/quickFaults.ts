import { setTimeout as delay } from 'node:timers/promises'
import { everybody, type Fault, scopeOf, type World } from './faults.ts'
import type { Part } from './part.ts'

/** Points that are not come to within this give way to others at the next kill. */
const ARMED_MS = 40_000

/** The next process of a part waits for failpoints, unless this one's have just been set. */
function arm({ points }: World, part: Part): void {
  if (part.armed.length > 0 && performance.now() - part.armedAt <= ARMED_MS) return
  const next = points.next(part.kind)
  if (next.length > 0) part.arm(next)
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
