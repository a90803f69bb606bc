import ipaddr from 'ipaddr.js'

/** Global unicast: what the internet at large uses of IPv6. */
const global = ipaddr.IPv6.parse('2000::')

/**
 * Whether an address is one of the open internet. Loopback, private, link-local and shared networks, clouds' metadata,
 * multicast, reserved ranges, and IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4, Teredo) are not; nor is anything that
 * is not written as an address should be. Pure.
 */
export function isPublicAddress(text: string): boolean {
  if (!isPlainAddress(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(global, 3)
}

/** Four decimal numbers, or IPv6 without a zone: other notations mean different things to different programs. */
const isPlainAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || (!text.includes('%') && ipaddr.IPv6.isValid(text))
