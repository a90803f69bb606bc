import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { joinAgent } from '../agent/main.ts'
import { startApi } from '../api/main.ts'
import { startBot } from '../bot/main.ts'
import { type Control, openControl } from '../cli/openControl.ts'
import { superviseChild } from '../cli/superviseChild.ts'
import { parseAgentConfig } from '../core/config/agent.ts'
import type { Env } from '../core/config/settings.ts'
import { listMachines, type Machine } from '../core/fleet/machineFacts.ts'
import { newCode } from '../core/fleet/oneTimeCodes.ts'
import { type Playground, startPlayground } from '../playground/server.ts'
import { startWorkers } from '../workers/main.ts'

export const user = { id: 7_000_001, first_name: 'Bench' }
/** The rate limits of Telegram are off on both sides: what is measured is the system, not its waiting. */
const free = {
  chatBurst: 1e6,
  groupPerMinute: 1e6,
  perSecond: 1e6,
  firstEditMs: 0,
  editGapMs: 0,
  groupEditGapMs: 0,
}

export type BenchSystem = {
  control: Control
  playground: Playground
  machine: Machine
  root: string
  stop(): Promise<void>
}

/**
 * The whole system as `skynet start` runs it, on loopback and in a temporary directory; with `limits` Telegram's limits
 * are what they are, on both sides.
 */
export async function startSystem(gatewayPort: number, { limits = false } = {}): Promise<BenchSystem> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-bench-'))
  const root = join(dir, 'work')
  await mkdir(root)
  const env: Env = {
    ...process.env,
    SKYNET_DATA_DIR: join(dir, 'data'),
    SKYNET_AGENT_ROOTS: root,
    SKYNET_GATEWAY_PORT: String(gatewayPort),
    SKYNET_LOG_LEVEL: 'error',
    SKYNET_CHAT_PER_MINUTE: '1000000',
    ...(process.env.BENCH_REDIS_URL ? { REDIS_URL: process.env.BENCH_REDIS_URL } : {}),
  }
  const control = await openControl(env, 'bench')
  const { deps, secrets } = control
  const playground = await startPlayground({
    port: 0,
    token: secrets.playground_token,
    stateFile: null,
    visitor: user,
    botName: 'SKYNET',
    secret: 'bench-bench-bench',
    ...(limits
      ? {}
      : { limits: { burst: 1e6, perChatPerSecond: 1e6, groupPerMinute: 1e6, overallPerSecond: 1e6 } }),
  })
  const bot = startBot(
    { ...deps, ownerIds: [user.id], redact: control.redact, gatewayUrl: 'http://127.0.0.1' },
    { kind: 'polling', token: secrets.playground_token, apiRoot: playground.url },
    limits ? {} : { limits: free },
  )
  const api = await startApi(
    { ...deps, controlKey: control.controlKey, botReady: bot.ready },
    { host: '127.0.0.1', port: 0 },
  )
  const workers = startWorkers(deps, control.queue)
  const childEnv: Env = {
    ...env,
    SKYNET_API_URL: api.url,
    SKYNET_GATEWAY_TOKEN: deps.gatewayToken,
    SKYNET_GATEWAY_API_TOKEN: secrets.gateway_api_token,
  }
  const gateway = superviseChild(deps.log, 'gateway', childEnv)
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`
  await join_(control, childEnv, gatewayUrl)
  const agent = superviseChild(deps.log, 'agent', { ...childEnv, SKYNET_GATEWAY_URL: gatewayUrl })
  const machine = await connected(control)
  return {
    control,
    playground,
    machine,
    root,
    stop: async () => {
      await agent.stop(12_000)
      await Promise.all([gateway.stop(3000), bot.stop(), workers.stop(), api.stop()])
      await playground.close()
      await control.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function join_(control: Control, env: Env, gatewayUrl: string): Promise<void> {
  const code = await newCode(control.deps.db, 'join', 60_000, null)
  for (let tries = 0; ; tries++) {
    try {
      await joinAgent(parseAgentConfig(env), gatewayUrl, code)
      return
    } catch (error) {
      if (tries > 100) throw error
      await pause(100)
    }
  }
}

async function connected(control: Control): Promise<Machine> {
  for (let tries = 0; tries < 200; tries++) {
    const machine = (await listMachines(control.deps.db)).find((m) => m.connected)
    if (machine) return machine
    await pause(50)
  }
  throw new Error('the agent did not connect')
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
