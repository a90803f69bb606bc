import { lookup } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { isPublicAddress } from './publicAddress.ts'

/** What a fetch was refused for, or failed with: one line for a person. */
export class FetchRefused extends Error {
  override name = 'FetchRefused'
}

export type FetchLimits = { bytes: number; ms: number; redirects: number }

/** Where names and connections come from; a test brings its own. */
export type Net = {
  resolve(host: string): Promise<readonly string[]>
  /** Opens TLS to this address, for this name. */
  dial(address: string, host: string): TLSSocket
}

const ownNet: Net = {
  resolve: async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address),
  dial: (address, host) =>
    connect({ host: address, port: 443, servername: host, ALPNProtocols: ['http/1.1'] }),
}

export const defaultLimits: FetchLimits = { bytes: 256 * 1024, ms: 15_000, redirects: 3 }

/**
 * Fetches a text over https from one of the listed hosts. The name is resolved once, every address it has must be public,
 * and the connection goes to one of just these: a name that changes its mind meanwhile changes nothing. Each redirect is
 * looked at as if it were asked for. Throws FetchRefused.
 */
export async function safeFetch(
  url: string,
  hosts: readonly string[],
  limits: FetchLimits = defaultLimits,
  net: Net = ownNet,
): Promise<string> {
  const deadline = AbortSignal.timeout(limits.ms)
  let at = url
  for (let hop = 0; hop <= limits.redirects; hop++) {
    const target = readAddress(at, hosts)
    const answer = await answerOf(target, await checkedAddress(target.hostname, net), net, deadline)
    const next = answer.headers.location
    if (isRedirect(answer.statusCode) && next !== undefined) {
      answer.destroy()
      at = joinedTo(target, next)
      continue
    }
    if (answer.statusCode !== 200) {
      answer.destroy()
      throw new FetchRefused(`${target.host} answered ${answer.statusCode}.`)
    }
    return readText(answer, limits.bytes, target.host)
  }
  throw new FetchRefused(`More than ${limits.redirects} redirects.`)
}

const isRedirect = (status: number | undefined): boolean => [301, 302, 303, 307, 308].includes(status ?? 0)

function joinedTo(from: URL, location: string): string {
  try {
    return new URL(location, from).href
  } catch {
    throw new FetchRefused(`${from.host} redirects to something that is no address.`)
  }
}

/** An address that may be asked for. */
function readAddress(text: string, hosts: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url) throw new FetchRefused('This is no address.')
  if (url.protocol !== 'https:') throw new FetchRefused('Only https addresses are fetched.')
  if (url.username !== '' || url.password !== '')
    throw new FetchRefused('An address with a name or password is not fetched.')
  if (url.port !== '') throw new FetchRefused('Only the usual port of https is asked.')
  if (!hosts.includes(url.hostname))
    throw new FetchRefused(`${url.hostname} is not among the hosts of SKYNET_SKILL_HOSTS.`)
  return url
}

/** One address of a host, all of whose addresses are public. */
async function checkedAddress(host: string, net: Net): Promise<string> {
  const addresses = await net.resolve(host).catch(() => {
    throw new FetchRefused(`${host} cannot be found.`)
  })
  const [first] = addresses
  if (first === undefined) throw new FetchRefused(`${host} has no address.`)
  if (!addresses.every(isPublicAddress)) throw new FetchRefused(`${host} is not on the open internet.`)
  return first
}

/** Connections of one request: they are opened here and nowhere else, so that no name is looked up a second time. */
function agentTo(dial: () => TLSSocket): Agent {
  const agent = new Agent({ keepAlive: false })
  agent.createConnection = dial
  return agent
}

function answerOf(url: URL, address: string, net: Net, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'GET',
      host: url.hostname,
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        accept: 'text/plain, text/markdown, */*;q=0.1',
        'accept-encoding': 'identity',
      },
      agent: agentTo(() => net.dial(address, url.hostname)),
      signal,
    })
    asked.on('response', resolve)
    asked.on('error', (error) => reject(faultOf(error, url.host, signal)))
    asked.end()
  })
}

const faultOf = (error: unknown, host: string, signal: AbortSignal): FetchRefused =>
  new FetchRefused(
    signal.aborted
      ? `${host} did not answer in time.`
      : `${host} cannot be reached (${error instanceof Error ? (Reflect.get(error, 'code') ?? error.message) : 'no reason'}).`,
  )

async function readText(answer: IncomingMessage, most: number, host: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > most) throw new FetchRefused(`${host} sent more than ${most / 1024} KiB.`)
      chunks.push(chunk)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    if (error instanceof FetchRefused) throw error
    if (error instanceof TypeError) throw new FetchRefused(`${host} sent something that is no text.`)
    throw new FetchRefused(`${host} broke off before the end.`)
  }
}
