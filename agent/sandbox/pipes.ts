import { execFile } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** One channel for a command's output: give `writeEnd` to the child, then close it. */
export type OutputPipe = { readEnd: number; writeEnd: number }

const BATCH = 16
const READ_BYTES = 64 * 1024

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
    return { readEnd, writeEnd }
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

/** One for all pipes: what was read is taken before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)

/**
 * Reads a pipe to its end: `take` gets a view that holds only while it runs. `done` resolves at the end, however it
 * comes; `close` ends it.
 */
export function readPipe(fd: number, take: (bytes: Buffer) => void): { done: Promise<void>; close(): void } {
  const onread = {
    buffer: readBuffer,
    callback: (size: number, buffer: Uint8Array) => {
      take(Buffer.from(buffer.buffer, buffer.byteOffset, size))
      return true
    },
  }
  const socket = new Socket({ fd, readable: true, writable: false, onread })
  const done = new Promise<void>((resolve) => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })
  socket.resume()
  return { done, close: () => socket.destroy() }
}

export const closeQuietly = (fd: number): void => {
  try {
    closeSync(fd)
  } catch {
    // It was closed before.
  }
}
