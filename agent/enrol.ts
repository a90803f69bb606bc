import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { z } from 'zod'
import { type AgentConfig, DEFAULT_GATEWAY_URL } from '../core/config/agent.ts'
import { ConfigError } from '../core/config/settings.ts'
import { EnrollResponse, ErrorBody } from '../core/protocol/http.ts'
import { machineId } from './identity.ts'

const Enrolment = z.object({
  agent_id: z.uuid(),
  name: z.string().optional(),
  credential: z.string(),
  control_key: z.string(),
  gateway_url: z.string(),
})
type Enrolment = z.infer<typeof Enrolment>

/** Everything an agent needs to be itself. */
export type Identity = {
  agentId: string
  credential: string
  controlKey: string
  /** The first one is the one it speaks of. */
  gatewayUrls: readonly [string, ...string[]]
}

/** Where what enrolment gave is kept. */
export const enrolmentFile = (config: Pick<AgentConfig, 'agentDir'>): string =>
  join(config.agentDir, 'enrolment.json')

/**
 * Joins this machine by a one-time code and keeps what it got (0600). Joining again stays the same agent, with
 * another credential. `name` is what the control plane calls it. Rejects with a sentence for a person.
 */
export async function joinAgent(
  config: AgentConfig,
  gatewayUrl: string,
  code: string,
): Promise<{ agentId: string; name: string }> {
  const url = gatewayAddress(gatewayUrl)
  const kept = readEnrolment(config)
  const answer = await post(`${url}/enroll`, {
    code,
    name: config.name,
    machine_id: machineId(config.dataDir),
    ...(kept ? { known: { agent_id: kept.agent_id, credential_hash: sha256(kept.credential) } } : {}),
  })
  const enrolment: Enrolment = { ...EnrollResponse.parse(answer), gateway_url: url }
  mkdirSync(config.agentDir, { recursive: true, mode: 0o700 })
  chmodSync(config.agentDir, 0o700)
  const file = enrolmentFile(config)
  writeFileSync(`${file}.new`, JSON.stringify(enrolment), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return { agentId: enrolment.agent_id, name: enrolment.name ?? config.name }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** `192.168.1.10:8766` is as good as `http://192.168.1.10:8766/`. Throws ConfigError for what is no address. */
export function gatewayAddress(given: string): string {
  const url = (/^[a-z]+:\/\//i.test(given) ? given : `http://${given}`).replace(/\/+$/, '')
  if (URL.canParse(url) && /^https?:/i.test(url)) return url
  throw new ConfigError(
    `agent join: got ${JSON.stringify(given)}; it takes the gateway's address, such as http://192.168.1.10:8766.`,
  )
}

/** Who this agent is: by settings first, else as enrolled. Throws ConfigError that says what to do. */
export function identityOf(config: AgentConfig): Identity {
  const kept = readEnrolment(config)
  const agentId = config.agentId ?? kept?.agent_id
  const credential = config.credential ?? kept?.credential
  const controlKey = config.controlKey ?? kept?.control_key
  if (!agentId || !credential || !controlKey) {
    throw new ConfigError(
      'This machine has not joined. Ask for a code with /agents in the chat, then: npm run skynet -- agent join URL CODE',
    )
  }
  const [first = kept?.gateway_url ?? DEFAULT_GATEWAY_URL, ...others] = config.gatewayUrls
  return {
    agentId,
    credential,
    controlKey,
    gatewayUrls: [first, ...others],
  }
}

function readEnrolment(config: AgentConfig): Enrolment | null {
  try {
    return Enrolment.parse(JSON.parse(readFileSync(enrolmentFile(config), 'utf8')))
  } catch {
    return null
  }
}

function post(url: string, body: unknown): Promise<unknown> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json' }, timeout: 10_000 },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          try {
            resolve(read(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')))
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')))
    outgoing.on('error', (error) =>
      reject(new Error(`The gateway at ${url} cannot be reached: ${error.message}`)),
    )
    outgoing.end(JSON.stringify(body))
  })
}

function read(status: number, text: string): unknown {
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : {}
  if (status >= 200 && status < 300) return body
  const error = ErrorBody.safeParse(body)
  throw new Error(error.success ? error.data.error.message : `The gateway answered ${status}.`)
}
