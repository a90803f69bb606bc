import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { OutputLimits } from '../../../agent/execute/output.ts'
import { machineId } from '../../../agent/identity.ts'
import { type RunningAgent, startAgent } from '../../../agent/main.ts'
import { parseAgentConfig } from '../../../core/config/agent.ts'
import { parseGatewayConfig } from '../../../core/config/gateway.ts'
import { createLogger } from '../../../core/config/logger.ts'
import { type RunningGateway, startGateway } from '../../../gateway/main.ts'
import { FakeControl, type Sent } from '../../support/fakeControl.ts'

const root = resolve(import.meta.dirname, '../../..')
const quiet = createLogger('test', process.env.TEST_LOG ?? 'error')

type StartMore = { limits?: OutputLimits; env?: NodeJS.ProcessEnv }

/** A gateway and an agent on a directory of their own, with a FakeControl above them. */
export class Pair {
  readonly control = new FakeControl()
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-pair-')))
  readonly workspace = join(this.dir, 'workspace')
  gateway: RunningGateway | null = null
  agent: RunningAgent | null = null
  readonly processes: ChildProcess[] = []
  gatewayUrl = ''
  env: Record<string, string> = {}

  async start(more: StartMore = {}): Promise<this> {
    await this.startControl()
    await this.startGateway()
    await this.startAgent(more)
    return this
  }

  async startControl(): Promise<void> {
    mkdirSync(this.workspace, { recursive: true })
    await this.control.start()
    this.control.machineId = machineId(join(this.dir, 'data'))
    this.env = {
      SKYNET_DATA_DIR: join(this.dir, 'data'),
      SKYNET_GATEWAY_PORT: '0',
      SKYNET_GATEWAY_TOKEN: this.control.gatewayToken,
      SKYNET_GATEWAY_API_TOKEN: this.control.apiToken,
      SKYNET_API_URL: this.control.url,
      SKYNET_AGENT_NAME: 'laptop',
      SKYNET_AGENT_ROOTS: this.workspace,
      SKYNET_AGENT_ID: this.control.agentId,
      SKYNET_AGENT_CREDENTIAL: this.control.credential,
      SKYNET_CONTROL_KEY: this.control.key.publicKey,
      SKYNET_LOG_LEVEL: process.env.TEST_LOG ?? 'error',
    }
  }

  async startGateway(): Promise<void> {
    this.gateway = await startGateway({ config: parseGatewayConfig(this.env), log: quiet })
    this.gatewayUrl = this.gateway.url
    this.env = {
      ...this.env,
      SKYNET_GATEWAY_URL: this.gatewayUrl,
      SKYNET_GATEWAY_PORT: new URL(this.gatewayUrl).port,
    }
  }

  /** In this process. */
  async startAgent(more: StartMore = {}): Promise<void> {
    const hellos = this.control.hellos.length
    this.agent = await startAgent({ config: parseAgentConfig(this.env), log: quiet, ...more })
    await this.control.until(() => this.control.hellos.length > hellos, 8000, 'hello')
    await this.connected()
  }

  async connected(): Promise<void> {
    while ((await this.call('GET', '/agents')).text.includes(this.control.agentId) === false)
      await new Promise((done) => setTimeout(done, 5))
  }

  /** As a process of its own, whose standard input this one holds. */
  spawn(what: 'agent' | 'gateway', more: Record<string, string> = {}): ChildProcess {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: this.dir,
      ...this.env,
      SKYNET_PARENT_STDIN: '1',
      ...more,
    }
    const child = spawn(process.execPath, [join(root, what, 'main.ts')], {
      env,
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    this.processes.push(child)
    return child
  }

  async spawnAgent(): Promise<ChildProcess> {
    const hellos = this.control.hellos.length
    const child = this.spawn('agent')
    await this.control.until(() => this.control.hellos.length > hellos, 15_000, 'hello of the process')
    await this.connected()
    return child
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    token = this.control.gatewayToken,
  ): Promise<{ status: number; text: string; json: Record<string, unknown> }> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(this.gatewayUrl + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, json: JSON.parse(text) as Record<string, unknown> }
  }

  act(sent: Sent) {
    return this.call('POST', '/action', sent)
  }

  /** Sends a shell command in the workspace. */
  async shell(command: string, more: Parameters<FakeControl['attempt']>[0] | object = {}): Promise<Sent> {
    const sent = this.control.attempt({ action: 'shell', params: { command }, cwd: this.workspace, ...more })
    const { status, text } = await this.act(sent)
    if (status !== 202) throw new Error(`the gateway answered ${status}: ${text}`)
    return sent
  }

  cancel(sent: Sent) {
    return this.call('POST', `/cancel/${sent.execution_id}`, { agent_id: sent.spec.agent_id })
  }

  async stop(): Promise<void> {
    await this.agent?.stop(0)
    for (const child of this.processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await this.gateway?.stop()
    await this.control.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
