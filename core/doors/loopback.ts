import { isIP } from 'node:net'

/** Whether a host (a name or an address, IPv6 also in brackets) can only be this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (bare === 'localhost' || bare === '::1') return true
  return isIP(bare) === 4 && bare.startsWith('127.')
}

/**
 * The line that a listener tells at every start when others than this machine reach it; null on loopback.
 * `setting` is what changes it.
 */
export function openDoorWarning(what: string, host: string, port: number, setting: string): string | null {
  if (isLoopback(host)) return null
  const where = ['', '0.0.0.0', '::'].includes(host) ? 'every address of this machine' : host
  return `${what} listens on ${where}, port ${port}, in plain HTTP: whoever reaches that can knock. Put TLS in front of it, and a firewall around it; ${setting}=127.0.0.1 closes it.`
}
