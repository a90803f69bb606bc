import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { lookAround } from '../../../agent/facts.ts'
import { attemptEnvironment, searchPath } from '../../../agent/sandbox/environment.ts'
import { isWithin, resolveInside } from '../../../agent/sandbox/roots.ts'
import { parseAgentConfig } from '../../../core/config/agent.ts'
import { parseGatewayConfig } from '../../../core/config/gateway.ts'
import { ConfigError } from '../../../core/config/settings.ts'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-roots-')))
afterAll(() => rmSync(dir, { recursive: true }))

test('a directory is not within one that only begins alike', () => {
  expect(isWithin('/a/b', '/a/b')).toBe(true)
  expect(isWithin('/a/b', '/a/b/..c')).toBe(true)
  expect(isWithin('/a/b', '/a/bc')).toBe(false)
  expect(isWithin('/a/b', '/a')).toBe(false)
})

test('the data directory is out of reach even inside a root', () => {
  mkdirSync(join(dir, 'home/data'), { recursive: true })
  symlinkSync(join(dir, 'home/data'), join(dir, 'home/link'))
  const bounds = { roots: [join(dir, 'home')], hidden: join(dir, 'home/data') }
  expect(resolveInside(bounds, join(dir, 'home'), 'new/file')).toBe(join(dir, 'home/new/file'))
  expect(() => resolveInside(bounds, join(dir, 'home'), 'link/x')).toThrow('data directory')
  expect(() => resolveInside(bounds, join(dir, 'home'), '..')).toThrow('outside')
})

describe('the environment', () => {
  test('has neither SKYNET’s tools nor its settings, and a Node', () => {
    const bin = resolve(import.meta.dirname, '../../../node_modules/.bin')
    const env = attemptEnvironment(
      {
        PATH: `/a/node_modules/.bin:${bin}:/x/npm/lib/node-gyp-bin:/nowhere`,
        SKYNET_API_TOKEN: 'x',
        LC_ALL: 'C',
        HOME: '/h',
      },
      'id',
    )
    expect(env.PATH).toBe(`/nowhere:${dirname(process.execPath)}`)
    expect(env).toMatchObject({ LC_ALL: 'C', HOME: '/h', TERM: 'dumb', SKYNET_EXECUTION_ID: 'id' })
    expect(env).not.toHaveProperty('SKYNET_API_TOKEN')
    expect(searchPath(undefined)).toContain('/usr/bin')
  })
})

test('repositories are found at three levels, with names that tell them apart', async () => {
  for (const path of [
    'r/a/api/.git',
    'r/b/api/.git',
    'r/b/c/web/.git',
    'r/b/c/d/deep/.git',
    'r/node_modules/x/.git',
  ])
    mkdirSync(join(dir, path), { recursive: true })
  const { repositories } = await lookAround([join(dir, 'r')])
  expect(repositories.map(({ name }) => name).sort()).toEqual(['a/api', 'b/api', 'web'])
})

describe('settings', () => {
  test('have defaults', () => {
    const config = parseAgentConfig({ HOME: '/h', SKYNET_AGENT_NAME: 'My Laptop!' })
    expect(config).toMatchObject({
      name: 'My Laptop!',
      dataDir: '/h/.local/share/skynet',
      agentDir: '/h/.local/share/skynet/agent-my-laptop-',
      roots: ['/h/skynet-workspace'],
      sandbox: 'auto',
    })
  })
  test('that cannot be are named', () => {
    expect(() => parseAgentConfig({ SKYNET_AGENT_ROOTS: 'relative' })).toThrow(ConfigError)
    expect(() => parseAgentConfig({ SKYNET_AGENT_SANDBOX: 'maybe' })).toThrow(/SKYNET_AGENT_SANDBOX/)
    expect(() => parseGatewayConfig({})).toThrow(
      'SKYNET_GATEWAY_TOKEN: got nothing; it takes a token of at least 16 characters.',
    )
  })
})
