import { setTimeout as delay } from 'node:timers/promises'
import type { AgentConfig } from '../core/config/agent.ts'
import { messageOf } from '../core/config/logger.ts'
import { openRoots } from '../core/config/openRoots.ts'
import type { Env } from '../core/config/settings.ts'
import { checkToken } from './askTelegram.ts'
import { checkPorts } from './checkPorts.ts'
import { type AllSettings, checkSettings, listeners } from './checkSettings.ts'
import { localUrl } from './localUrl.ts'
import { type Control, openControl } from './openControl.ts'
import { enrolOwnAgent, keepEnrolled } from './ownAgent.ts'
import { pairingCode } from './pairingCode.ts'
import { placeVisitor, prepareDemo } from './placeDemo.ts'
import { type RunningParts, startParts } from './startParts.ts'
import { type Supervised, superviseChild } from './superviseChild.ts'

/** All is gone within 10 s: the agent's work within 8, then this for it to say farewell, and the rest for the others. */
const AGENT_STOP_MS = 9000
const GATEWAY_STOP_MS = 1000
/** Dispatches under way end sooner than this; a plan that waits for a model does not hold up the agent. */
const WORKERS_STOP_MS = 300

export type Running = {
  urls: { api: string; page: string | null; gateway: string }
  settings: AllSettings
  /** Makes its sender the owner; null when there is one, or no need of any. */
  pairing: string | null
  /** Why the bot does not serve; null when it does, or begins to. */
  botTrouble(): string | null
  /** Ends everything in order. */
  stop(): Promise<void>
  /** Ends the children at once, for who will not wait. */
  kill(): void
}

/**
 * `skynet start`: everything for one machine. Bot, API and workers in this process; gateway and agent each in their
 * own, the agent enrolled by itself the first time. Resolves once the control plane answers; gateway and agent follow.
 * Rejects with ConfigError before anything is opened when a setting is wrong, a port taken, a directory missing, or the
 * bot's token refused.
 */
export async function start(given: Env): Promise<Running> {
  const env = await checkPorts(given, listeners(checkSettings(given)))
  const settings = checkSettings(env)
  openRoots(settings.agent)
  await checkToken(settings.control.telegram)
  const control = await openControl(env, 'skynet')
  const gatewayUrl = localUrl(settings.gateway.host, settings.gateway.port)
  // Already now: they come up while this process loads the rest, and ask again until the API answers.
  const children = startChildren(control, settings, gatewayUrl, env)
  const joinUrl = settings.gateway.publicUrl ?? gatewayUrl
  try {
    const parts = await startParts(control, joinUrl, { bot: true, api: true, workers: true })
    return {
      urls: { api: parts.apiUrl ?? '', page: parts.pageUrl, gateway: gatewayUrl },
      settings,
      pairing: await pairingCode(control),
      botTrouble: parts.botTrouble,
      kill: children.kill,
      stop: () => stopInOrder(control, children, parts),
    }
  } catch (error) {
    children.kill()
    await control.close()
    throw error
  }
}

/** First nothing more is dispatched; then this machine's work ends, and is reported while the rest still runs. */
async function stopInOrder(
  control: Control,
  { agent, gateway }: Children,
  parts: RunningParts,
): Promise<void> {
  const workers = parts.stopWorkers()
  await Promise.race([workers, delay(WORKERS_STOP_MS)])
  await agent.stop()
  await Promise.all([gateway.stop(GATEWAY_STOP_MS), parts.stop(), workers])
  await control.close()
}

type Children = {
  gateway: Supervised
  agent: { stop(): Promise<void> }
  /** Ends both at once. */
  kill(): void
}

function startChildren(control: Control, settings: AllSettings, gatewayUrl: string, env: Env): Children {
  const { deps, secrets } = control
  const { http, dataDir } = settings.control
  const childEnv = {
    ...withoutSecrets(env),
    SKYNET_DATA_DIR: dataDir,
    SKYNET_API_URL: localUrl(http.host, http.port),
  }
  const gateway = superviseChild(deps.log, 'gateway', {
    ...childEnv,
    SKYNET_GATEWAY_TOKEN: deps.gatewayToken,
    SKYNET_GATEWAY_API_TOKEN: secrets.gateway_api_token,
  })
  const agent = startOwnAgent(control, settings.agent, gatewayUrl, childEnv)
  const kill = () => {
    agent.kill()
    gateway.kill()
  }
  return { gateway, agent, kill }
}

/** This machine's agent: enrolled when it must be, then kept running. */
function startOwnAgent(
  control: Control,
  config: AgentConfig,
  gatewayUrl: string,
  env: Env,
): { stop(): Promise<void>; kill(): void } {
  let agent: Supervised | null = null
  let stopping = false
  let endKeeping = (): void => {}
  const begin = async (): Promise<void> => {
    const [demo] = await Promise.all([
      prepareDemo(control, config),
      enrolOwnAgent(control, config, gatewayUrl, () => stopping),
    ])
    if (stopping) return
    agent = superviseChild(control.deps.log, 'agent', {
      ...env,
      SKYNET_GATEWAY_URL: [gatewayUrl, ...config.gatewayUrls.slice(1)].join(','),
    })
    endKeeping = keepEnrolled(control, config, gatewayUrl)
    if (demo) await placeVisitor(control, config, demo)
  }
  const began = begin().catch(
    (error) => void control.deps.log.error(`the agent of this machine cannot start: ${messageOf(error)}`),
  )
  return {
    stop: async () => {
      stopping = true
      await began
      endKeeping()
      await agent?.stop(AGENT_STOP_MS)
    },
    kill: () => {
      stopping = true
      agent?.kill()
    },
  }
}

const forControlOnly =
  /^(TELEGRAM_|OPENCLAW_|DATABASE_URL$|REDIS_URL$|SKYNET_API_TOKEN$|SKYNET_GATEWAY_(API_)?TOKEN$)|_API_KEY$/

/** What a gateway or an agent needs to know of the environment: nothing of Telegram, the database or the models. */
const withoutSecrets = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !forControlOnly.test(name)))
