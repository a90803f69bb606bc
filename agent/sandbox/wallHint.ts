import type { Confinement } from './walls.ts'

const network =
  /could not resolve|name resolution|network is unreachable|nodename nor servname|getaddrinfo|ENOTFOUND|EAI_AGAIN|ENETUNREACH/i
const readOnly = /read-only file system|EROFS/i
const absent =
  /docker daemon|system bus|D-Bus|"?no new privileges"?|effective uid is not 0|authentication agent|permission denied \(publickey|could not read from remote repository/i

/** What a person should know when a confined command failed by what it could not reach; null when nothing looks so. Pure. */
export function wallHint(output: string, allowed: Pick<Confinement, 'network' | 'writable'>): string | null {
  if (!allowed.network && network.test(output))
    return '[confined: this step has no network, as it was approved]'
  if (readOnly.test(output))
    return `[confined: only ${allowed.writable.join(', ')} can be written]`.slice(0, 300)
  return absent.test(output)
    ? '[confined: docker, systemd, sudo and ssh keys are not there; see SKYNET_AGENT_READABLE and SKYNET_AGENT_SANDBOX]'
    : null
}
