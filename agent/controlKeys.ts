import type { KeyObject } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Logger, messageOf } from '../core/config/logger.ts'
import { readPublicKey } from '../core/protocol/grants.ts'
import { followChain, KeyChain, type KeyStatement, keysAt } from '../core/protocol/keyChain.ts'

const Kept = z.object({ pinned: z.string(), chain: KeyChain })

/**
 * The keys whose grants this agent takes: the one pinned when it joined, and what follows from it by statements that each
 * key signed for the next. What it has followed is kept on disk, so that a key that was replaced stays replaced.
 */
export class ControlKeys {
  readonly #file: string
  readonly #pinned: string
  readonly #log: Logger
  #held: KeyStatement[]

  constructor(dir: string, pinned: string, log: Logger) {
    this.#file = join(dir, 'control-keys.json')
    this.#pinned = pinned
    this.#log = log
    readPublicKey(pinned)
    this.#held = this.#read()
  }

  /** Follows a chain that came with a grant as far as it leads on from here, and says which keys count now. */
  follow(chain: readonly KeyStatement[], now: Date): KeyObject[] {
    const held = followChain(this.#pinned, [...this.#held, ...chain])
    if (held.length > this.#held.length) this.#keep(held)
    return keysAt(this.#pinned, this.#held, now).map(readPublicKey)
  }

  #read(): KeyStatement[] {
    try {
      const kept = Kept.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
      return kept.pinned === this.#pinned ? followChain(this.#pinned, kept.chain) : []
    } catch {
      return []
    }
  }

  /** What cannot be kept is followed all the same, for as long as this process lives. */
  #keep(held: KeyStatement[]): void {
    this.#held = held
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify({ pinned: this.#pinned, chain: held }), {
        mode: 0o600,
        flush: true,
      })
      renameSync(`${this.#file}.new`, this.#file)
    } catch (error) {
      this.#log.error('the new control key cannot be kept', { error: messageOf(error) })
    }
    this.#log.info('the control plane has a new key, signed by the one before')
  }
}
