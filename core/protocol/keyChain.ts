import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { newSigningKey, publicKeyOf, readPublicKey } from './grants.ts'
import { canonicalJson } from './hash.ts'

const Key = z.string().min(16).max(256)
const Signature = z.string().max(128)

/** What the holder of the old key says: from now on this new one, and the old one only so long. */
const Succession = z.strictObject({
  v: z.literal(1),
  old_key: Key,
  new_key: Key,
  issued_at: z.iso.datetime(),
  /** Until then the old key still counts for who has heard of this. */
  old_until: z.iso.datetime(),
})

/** A succession with two signatures over it: of the old key, which allows it, and of the new one, which is there. */
export const KeyStatement = z.strictObject({ succession: Succession, by_old: Signature, by_new: Signature })
export type KeyStatement = z.infer<typeof KeyStatement>

/** Statements in the order of their keys. */
export const KeyChain = z.array(KeyStatement).max(64)

const signed = (succession: z.infer<typeof Succession>, key: KeyObject): string =>
  sign(null, Buffer.from(canonicalJson({ key_succession: succession })), key).toString('base64url')

const isSigned = (succession: z.infer<typeof Succession>, key: string, signature: string): boolean => {
  try {
    const text = Buffer.from(canonicalJson({ key_succession: succession }))
    return verify(null, text, readPublicKey(key), Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}

/** A new key in the place of the one that signs now, with the statement that lets agents follow. */
export function succeedKey(
  oldPem: string,
  now: Date,
  overlapMs: number,
): { privatePem: string; statement: KeyStatement } {
  const { privatePem, publicKey } = newSigningKey()
  const succession = {
    v: 1 as const,
    old_key: publicKeyOf(oldPem),
    new_key: publicKey,
    issued_at: now.toISOString(),
    old_until: new Date(now.getTime() + overlapMs).toISOString(),
  }
  const [old, fresh] = [createPrivateKey(oldPem), createPrivateKey(privatePem)]
  return {
    privatePem,
    statement: { succession, by_old: signed(succession, old), by_new: signed(succession, fresh) },
  }
}

/**
 * What follows from a pinned key by statements that hold, each from the key that counts at that point; others are passed
 * over. The first successor of a key is the only one: who has followed it is led nowhere else. Pure.
 */
export function followChain(pinned: string, chain: readonly KeyStatement[]): KeyStatement[] {
  const held: KeyStatement[] = []
  for (const statement of chain) {
    const { succession, by_old, by_new } = statement
    const current = held.at(-1)?.succession.new_key ?? pinned
    const isNext = succession.old_key === current && succession.new_key !== current
    if (isNext && isSigned(succession, current, by_old) && isSigned(succession, succession.new_key, by_new))
      held.push(statement)
  }
  return held
}

/** The keys that count at a moment: the newest, and those before it whose time is not over. Pure. */
export const keysAt = (pinned: string, held: readonly KeyStatement[], now: Date): string[] => [
  held.at(-1)?.succession.new_key ?? pinned,
  ...held
    .filter(({ succession }) => Date.parse(succession.old_until) > now.getTime())
    .map(({ succession }) => succession.old_key),
]
