import { describe, expect, test } from 'vitest'
import { commands } from '../../../bot/commands.ts'
import { likelyCommand } from '../../../bot/likelyCommand.ts'
import { distance, nearest } from '../../../core/config/nearest.ts'

const owner = { role: 'owner' } as const

describe('an unknown command', () => {
  test.each([
    ['/stauts', '/status'],
    ['/statsu #12', '/status #12'],
    ['/Status', '/status'],
    ['/stat', '/status'],
    ['/canel 12', '/cancel 12'],
    ['/stop', '/cancel'],
    ['/log #3', '/logs #3'],
    ['/rnu git status\ngit diff', '/run git status\ngit diff'],
    ['/agentstatus', '/agent_status'],
    ['/aprove K7', '/approve K7'],
    ['/hlep@skynet_bot', '/help'],
    ['/machines', '/agents'],
    ['/plna tidy up', '/plan tidy up'],
  ])('%s was likely meant as %s', (written, meant) => {
    expect(likelyCommand(written, owner)).toBe(meant)
  })

  test.each([
    '/xyzzy',
    '/deploy',
    '/etc/hosts',
    '/',
    '/ status',
    '/1',
    '/constructor',
    '/__proto__',
    '/тест',
    '//',
  ])('%s is like none', (written) => {
    expect(likelyCommand(written, owner)).toBeNull()
  })

  test('only what the person may use is offered, and a long text is not repeated', () => {
    expect(likelyCommand('/lokdown', owner)).toBe('/lockdown')
    expect(likelyCommand('/lokdown', { role: 'viewer' })).toBeNull()
    expect(likelyCommand('/exec ls', { role: 'viewer' })).toBeNull()
    expect(likelyCommand(`/rnu ${'x'.repeat(5000)}`, owner)).toBe('/run')
  })

  test('every command is found with its first two letters swapped, or offers nothing wrong', () => {
    for (const { name } of commands.filter((c) => c.name.length > 4)) {
      const swapped = `/${name[1]}${name[0]}${name.slice(2)}`
      expect(likelyCommand(swapped, owner)).toBe(`/${name}`)
    }
  })
})

test('the distance counts slips; neighbours swapped are one', () => {
  expect([distance('', ''), distance('', 'abc'), distance('abc', 'abc')]).toEqual([0, 3, 0])
  expect([distance('stauts', 'status'), distance('kitten', 'sitting'), distance('ca', 'abc')]).toEqual([
    1, 3, 3,
  ])
  expect(nearest('runs', ['rune', 'runt'], 1)).toBe('rune')
  expect(nearest('x', ['run'], 1)).toBeNull()
})
