import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { type GatewayConfig, parseGatewayConfig } from '../core/config/gateway.ts'
import { createLogger, type Logger, messageOf } from '../core/config/logger.ts'
import { secretSettings } from '../core/config/secretSettings.ts'
import type { Env } from '../core/config/settings.ts'
import { namesOf } from '../core/doors/judgeCall.ts'
import { openDoorWarning } from '../core/doors/loopback.ts'
import { Agents } from './agents.ts'
import { Api } from './api.ts'
import { Heartbeat } from './heartbeat.ts'
import { createHttp } from './http.ts'
import { gatewayIdIn } from './identity.ts'
import { Limiter } from './limiter.ts'
import { gatewayRoutes } from './routes.ts'
import { Routes } from './routing.ts'

/** Enrolment tries in a minute: per address, and in all. */
const ENROL_EACH = 10
const ENROL_ALL = 60

export type RunningGateway = {
  gatewayId: string
  /** Where it listens, for programs on this machine. */
  url: string
  stop(): Promise<void>
}

/** Starts a gateway in this process; resolves once it listens. It registers with the API as soon as that is there. */
export async function startGateway({
  config,
  log,
}: {
  config: GatewayConfig
  log: Logger
}): Promise<RunningGateway> {
  const gatewayId = gatewayIdIn(config.gatewayDir)
  const api = new Api(config.apiUrl, config.apiToken)
  const routes = new Routes()
  let url = ''
  const heartbeat: Heartbeat = new Heartbeat({
    api,
    gatewayId,
    name: config.name,
    url: () => config.publicUrl ?? url,
    agents: () => agents.all(),
    log,
  })
  const door = { host: config.host, names: namesOf(config.publicUrls) }
  const agents = new Agents({
    api,
    door,
    gatewayId,
    routes,
    log,
    registered: () => heartbeat.registered,
    onChange: () => heartbeat.soon(),
  })
  const health = () => ({
    status: 'ok',
    gateway_id: gatewayId,
    api: heartbeat.state,
    agents: agents.all().length,
  })
  const enrolling = new Limiter(ENROL_EACH, ENROL_ALL)
  const server = createHttp(
    gatewayRoutes({ agents, routes, api, enrolling, health, apiState: () => heartbeat.state }),
    config.token,
    door,
    log,
  )
  server.on('upgrade', (request, socket, head) => agents.upgrade(request, socket, head))
  url = await listen(server, config)
  heartbeat.start()
  const warning = openDoorWarning(
    'The gateway',
    config.host,
    Number(new URL(url).port),
    'SKYNET_GATEWAY_HOST',
  )
  if (warning) log.warn(warning)
  log.info('gateway started', { url, gateway_id: gatewayId })
  return {
    gatewayId,
    url,
    stop: async () => {
      heartbeat.end()
      agents.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      api.close()
    },
  }
}

async function listen(server: Server, { host, port }: GatewayConfig): Promise<string> {
  server.listen(port, host)
  await once(server, 'listening')
  const name = ['0.0.0.0', '::', ''].includes(host) ? hostname() : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${(server.address() as AddressInfo).port}`
}

/**
 * The gateway as a process: runs until SIGTERM, SIGINT, or (with SKYNET_PARENT_STDIN=1) the end of its standard
 * input.
 */
export async function main(env: Env = process.env): Promise<void> {
  const config = parseGatewayConfig(env)
  const log = createLogger('gateway', config.logLevel, [
    config.token,
    config.apiToken,
    ...secretSettings(env),
  ])
  endOnUncaught(log)
  const gateway = await startGateway({ config, log })
  let ending = false
  const end = (why: string) => {
    if (ending) return process.exit(0)
    ending = true
    log.info(`stopping: ${why}`)
    gateway.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  if (!config.endWithStdin) return
  process.stdin.on('end', () => end('the parent is gone'))
  process.stdin.on('error', () => end('the parent is gone'))
  process.stdin.resume()
}

function endOnUncaught(log: Logger): void {
  const end = (error: unknown) => {
    log.error('ending after an error nobody expected', {
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
    setTimeout(() => process.exit(1), 50)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

if (import.meta.main) {
  main().catch((error) => {
    console.error(messageOf(error))
    process.exit(1)
  })
}
