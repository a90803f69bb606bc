import { execFile } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** One channel for a command's output: give `writeEnd` to the child, then close it. */
export type OutputPipe = { reader: Socket; writeEnd: number }

const BATCH = 16

/**
 * Real pipes for output. Node's own `pipe` is a socket, which scripts cannot open again: `echo x > /dev/stderr`
 * fails on it. Named pipes are made ahead in batches, opened once and unlinked.
 */
export class PipePool {
  #names: string[] = []
  #made = 0
  #filling: Promise<void> | null = null
  readonly #dir: string

  /** `dir` is emptied: what an earlier process left there is of no use. */
  constructor(dir: string) {
    this.#dir = dir
    this.close()
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }

  async take(): Promise<OutputPipe> {
    while (this.#names.length === 0) await this.fill()
    const path = this.#names.pop() as string
    if (this.#names.length < BATCH / 4) this.fill().catch(() => {}) // asked again when the pool is empty
    // Read end first and without blocking: opening the write end then finds its reader.
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writeEnd = openSync(path, constants.O_WRONLY)
    unlinkSync(path)
    return { reader: new Socket({ fd: readEnd, readable: true, writable: false }), writeEnd }
  }

  /** Makes the next pipes. Rejects when the machine has no mkfifo. */
  fill(): Promise<void> {
    this.#filling ??= this.#make().finally(() => {
      this.#filling = null
    })
    return this.#filling
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #make(): Promise<void> {
    const names = Array.from({ length: BATCH }, () => join(this.#dir, String(this.#made++)))
    await promisify(execFile)('mkfifo', ['-m', '600', ...names])
    this.#names.push(...names)
  }
}

export const closeQuietly = (fd: number): void => {
  try {
    closeSync(fd)
  } catch {
    // It was closed before.
  }
}
