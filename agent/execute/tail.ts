const BLOCK = 16 * 1024

type Block = { bytes: Buffer; used: number }

/** The last bytes of a stream, in blocks: what is dropped goes a block at a time from the front. */
export class Tail {
  bytes = 0
  /** Whether anything was dropped: then the text begins in the middle of a line. */
  isCut = false
  #blocks: Block[] = []
  /** A dropped block, used again: endless output makes no garbage. */
  #spare: Buffer | null = null

  add(chunk: Buffer): void {
    this.bytes += chunk.length
    for (let at = 0; at < chunk.length; ) {
      const block = this.#roomy()
      const copied = chunk.copy(block.bytes, block.used, at)
      block.used += copied
      at += copied
    }
  }

  /** Drops the oldest block; returns its size in bytes. */
  drop(): number {
    const block = this.#blocks.shift()
    const dropped = block?.used ?? 0
    this.bytes -= dropped
    this.isCut = true
    this.#spare = block?.bytes ?? null
    return dropped
  }

  take(): Buffer {
    const all = Buffer.concat(this.#blocks.map(({ bytes, used }) => bytes.subarray(0, used)))
    this.#blocks = []
    this.bytes = 0
    return all
  }

  #roomy(): Block {
    const last = this.#blocks.at(-1)
    if (last && last.used < BLOCK) return last
    const block = { bytes: this.#spare ?? Buffer.allocUnsafeSlow(BLOCK), used: 0 }
    this.#spare = null
    this.#blocks.push(block)
    return block
  }
}
