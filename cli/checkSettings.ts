import { type AgentConfig, parseAgentConfig } from '../core/config/agent.ts'
import { type ControlConfig, parseControlConfig } from '../core/config/control.ts'
import { type GatewayPlace, parseGatewayPlace } from '../core/config/gateway.ts'
import { readModelSettings } from '../core/config/model.ts'
import { ConfigError, type Env } from '../core/config/settings.ts'
import type { Listening } from './checkPorts.ts'

export type AllSettings = { control: ControlConfig; agent: AgentConfig; gateway: GatewayPlace }

/** Every setting that `skynet start` uses, read before anything is opened. Throws ConfigError for the first wrong one. */
export function checkSettings(env: Env): AllSettings {
  readModelSettings(env)
  return { control: parseControlConfig(env), agent: parseAgentConfig(env), gateway: parseGatewayPlace(env) }
}

/** A line for each setting that is wrong, of all that `skynet start` uses; empty when none is. */
export function wrongSettings(env: Env): string[] {
  const readers = [readModelSettings, parseControlConfig, parseAgentConfig, parseGatewayPlace]
  const lines = readers.flatMap((read) => {
    try {
      read(env)
      return []
    } catch (error) {
      if (error instanceof ConfigError) return error.all
      throw error
    }
  })
  return [...new Set(lines)]
}

/** Where the control plane's parts and the gateway of these settings listen. */
export function listeners({ control, gateway }: Pick<AllSettings, 'control' | 'gateway'>): Listening[] {
  const { telegram } = control
  return [
    { setting: 'SKYNET_HTTP', ...control.http },
    { setting: 'SKYNET_GATEWAY', host: gateway.host, port: gateway.port },
    ...(telegram.kind === 'playground'
      ? [{ setting: 'SKYNET_PLAYGROUND' as const, host: '127.0.0.1', port: telegram.port }]
      : []),
  ]
}
