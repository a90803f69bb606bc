import { expect, test } from 'vitest'
import { renderMachines } from '../../../bot/render/machinesCard.ts'
import type { AgentFacts } from '../../../core/protocol/frames.ts'

type Fleet = Parameters<typeof renderMachines>[0]

const shown = (facts: Partial<AgentFacts>): string =>
  renderMachines(
    {
      machines: [
        {
          name: 'laptop',
          agentId: 'a',
          connected: true,
          lastSeenAt: new Date(),
          disconnectedAt: null,
          running: [],
          others: 0,
          gateways: [],
          facts: {
            home: '/h',
            roots: ['/h/w'],
            repositories: [],
            capabilities: [],
            load: { running: 0, average: 0 },
            ...facts,
          },
        },
      ],
      order: [],
    } as unknown as Fleet,
    false,
  ).html

const all = { calls: true, limits: true, processes: true, sockets: true }

test.each<[string, Partial<AgentFacts>, RegExp, RegExp]>([
  [
    'confined',
    { containment: 'bwrap', confined: all },
    /🔒 commands are confined: roots, network, memory, processes/,
    /not confined|best effort/,
  ],
  [
    'confined, as root',
    { containment: 'bwrap', confined: { ...all, processes: false } },
    /confined: roots, network, memory\n/,
    /not confined/,
  ],
  ['an older agent', { containment: 'bwrap' }, /⚠️ commands are not confined/, /🔒/],
  [
    'without bubblewrap',
    { containment: 'unshare' },
    /⚠️ commands are not confined.+cancel ends everything/s,
    /🔒/,
  ],
  ['with process groups', { containment: 'group' }, /not confined.+cancel is best effort/s, /🔒/],
])('/agent_status says what holds commands: %s', (_, facts, says, never) => {
  expect(shown(facts)).toMatch(says)
  expect(shown(facts)).not.toMatch(never)
})
