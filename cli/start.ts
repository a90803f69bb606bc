import { realpathSync } from 'node:fs'
import { isEnrolled, joinAgent } from '../agent/main.ts'
import { startApi } from '../api/main.ts'
import { type BotConnection, startBot } from '../bot/main.ts'
import { type AgentConfig, parseAgentConfig } from '../core/config/agent.ts'
import { messageOf } from '../core/config/logger.ts'
import type { Env } from '../core/config/settings.ts'
import { setPlace } from '../core/fleet/choosePlace.ts'
import { newCode } from '../core/fleet/oneTimeCodes.ts'
import { hasOwner, meetPerson } from '../core/people/people.ts'
import { openPlayground, visitor } from '../playground/main.ts'
import { startWorkers } from '../workers/main.ts'
import { type Control, openControl } from './openControl.ts'
import { type Supervised, superviseChild } from './superviseChild.ts'

const JOIN_TTL_MS = 10 * 60_000
const PAIR_TTL_MS = 24 * 3_600_000

export type Parts = { bot: boolean; api: boolean; workers: boolean }
export type Running = { stop(): Promise<void>; kill(): void; urls: { api: string | null; page: string | null; gateway: string } }

type Stoppable = { stop(): Promise<void> }

/** Parts of the control plane in this process, started in order and stopped in the opposite one. */
export async function startParts(control: Control, env: Env, parts: Parts): Promise<{ stop(): Promise<void>; apiUrl: string | null; pageUrl: string | null }> {
  const { deps, config, secrets } = control
  const stops: Stoppable[] = []
  const gatewayUrl = env.SKYNET_GATEWAY_URL ?? `http://${env.SKYNET_GATEWAY_HOST ?? '127.0.0.1'}:${env.SKYNET_GATEWAY_PORT || 8766}`
  let pageUrl: string | null = null
  let ready = (): boolean => true
  if (parts.bot) {
    const { connection, page, stop } = await connectTelegram(control)
    pageUrl = page
    stops.push({ stop })
    const ownerIds = config.telegram.kind === 'playground' ? [...config.ownerIds, visitor.id] : config.ownerIds
    const bot = startBot({ ...deps, ownerIds, redact: control.redact, gatewayUrl }, connection)
    ready = bot.ready
    stops.push(bot)
  }
  const api = parts.api ? await startApi({ ...deps, controlKey: control.controlKey, botReady: ready }, config.http) : null
  if (api) stops.push(api)
  if (parts.workers) stops.push(startWorkers(deps, control.queue))
  void secrets
  return {
    apiUrl: api?.url ?? null,
    pageUrl,
    stop: async () => {
      for (const part of stops.reverse()) await part.stop().catch((error) => deps.log.warn(`stopping: ${messageOf(error)}`))
    },
  }
}

/** Where the bot finds Telegram: the real one, or the local one that this brings up. */
async function connectTelegram(control: Control): Promise<{ connection: BotConnection; page: string | null; stop(): Promise<void> }> {
  const { config, deps, secrets } = control
  if (config.telegram.kind !== 'playground') return { connection: config.telegram, page: null, stop: async () => {} }
  const playground = await openPlayground(deps, { dataDir: config.dataDir, port: config.telegram.port, token: secrets.playground_token })
  return { connection: { kind: 'polling', token: secrets.playground_token, apiRoot: playground.url }, page: playground.pageUrl, stop: () => playground.close() }
}

/**
 * `skynet start`: everything for one machine. Bot, API and workers in this process; gateway and agent each in their
 * own, the agent enrolled by itself the first time.
 */
export async function start(env: Env): Promise<Running> {
  const control = await openControl(env, 'skynet')
  const { deps, config, secrets } = control
  const agentConfig = parseAgentConfig(env)
  const parts = await startParts(control, env, { bot: true, api: true, workers: true })
  const childEnv: Env = { ...env, SKYNET_DATA_DIR: config.dataDir, SKYNET_API_URL: parts.apiUrl ?? undefined }
  const gateway = superviseChild(deps.log, 'gateway', { ...childEnv, SKYNET_GATEWAY_TOKEN: deps.gatewayToken, SKYNET_GATEWAY_API_TOKEN: secrets.gateway_api_token })
  const gatewayUrl = `http://127.0.0.1:${env.SKYNET_GATEWAY_PORT || 8766}`
  const demo = await prepareDemo(control, agentConfig)
  let agent: Supervised | null = null
  let stopping = false
  const enrolled = enrolOwnAgent(control, agentConfig, gatewayUrl, () => stopping)
    .then(async () => {
      if (stopping) return
      agent = superviseChild(deps.log, 'agent', withoutSecrets({ ...childEnv, SKYNET_GATEWAY_URL: gatewayUrl }))
      if (demo && config.telegram.kind === 'playground') await placeVisitor(control, agentConfig, demo)
    })
    .catch((error) => void deps.log.error(`the agent of this machine cannot start: ${messageOf(error)}`))
  return {
    urls: { api: parts.apiUrl, page: parts.pageUrl, gateway: gatewayUrl },
    kill: () => {
      agent?.kill()
      gateway.kill()
    },
    stop: async () => {
      stopping = true
      await agent?.stop(11_500)
      await enrolled
      await Promise.all([gateway.stop(3000), parts.stop()])
      await control.close()
    },
  }
}

/** The agent gets nothing that belongs to the control plane or to Telegram. */
const withoutSecrets = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TELEGRAM_|DATABASE_URL|REDIS_URL|SKYNET_API_TOKEN|SKYNET_GATEWAY_TOKEN)|_API_KEY$/.test(name)))

async function prepareDemo(control: Control, agent: AgentConfig): Promise<string | null> {
  const root = agent.roots[0]
  if (!root || control.config.telegram.kind !== 'playground') return null
  const { makeDemo } = await import('./demo/makeDemo.ts')
  return makeDemo(root, control.config.dataDir).catch((error) => {
    control.deps.log.warn(`the demo was not made: ${messageOf(error)}`)
    return null
  })
}

async function enrolOwnAgent(control: Control, agent: AgentConfig, gatewayUrl: string, stopping: () => boolean): Promise<void> {
  if (isEnrolled(agent)) return
  const code = await newCode(control.deps.db, 'join', JOIN_TTL_MS, null)
  for (let tries = 0; !stopping(); tries++) {
    try {
      await joinAgent(agent, gatewayUrl, code)
      return
    } catch (error) {
      if (tries >= 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The visitor of a fresh playground works in the demo until he says otherwise. */
async function placeVisitor(control: Control, agent: AgentConfig, demo: string): Promise<void> {
  const { db } = control.deps
  const person = await meetPerson(db, { id: visitor.id, name: visitor.first_name }, [visitor.id])
  const asker = { chatId: visitor.id, topicId: 0, personId: person.id }
  const [own] = await db.query<{ id: string }>('SELECT id FROM agent WHERE revoked_at IS NULL AND name LIKE $1 ORDER BY created_at LIMIT 1', [`${agent.name}%`])
  const chosen = await db.query('SELECT 1 FROM place_choice WHERE chat_id = $1', [visitor.id])
  if (own && chosen.length === 0) await setPlace(db, asker, { agentId: own.id, cwd: realpathSync(demo) })
}

/** Without any owner the first start prints a code that makes its sender one. */
export async function pairingCode(control: Control): Promise<string | null> {
  if (control.config.telegram.kind === 'playground' || control.config.ownerIds.length > 0 || (await hasOwner(control.deps.db))) return null
  return newCode(control.deps.db, 'pair', PAIR_TTL_MS, null)
}
