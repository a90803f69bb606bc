import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Random } from './random.ts'

const DISK = '128m'
const BLOCK = Buffer.alloc(1024 * 1024)

/** The disk of an agent's data directory: small and its own where this user may mount, so that it can be full. */
export class AgentDisk {
  readonly dir: string
  readonly canFill: boolean

  constructor(dir: string) {
    this.dir = dir
    this.canFill =
      process.getuid?.() === 0 &&
      spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'skynet-faults', dir]).status === 0
  }

  /** Leaves room for nothing. */
  fill(): void {
    const fd = openSync(join(this.dir, 'filler'), 'w')
    try {
      const { bsize } = statfsSync(this.dir)
      for (const size of [BLOCK.length, bsize, 1]) writeUntilFull(fd, BLOCK.subarray(0, size))
    } finally {
      closeSync(fd)
    }
  }

  empty(): void {
    rmSync(join(this.dir, 'filler'), { force: true })
  }

  /** What a power cut may leave of the journal's newest segment: whole up to the last beginning, then some of it. */
  tear(random: Random): void {
    for (const [file, bytes] of this.#segments().slice(-1)) {
      const safe = afterLastBeginning(bytes)
      const cut = Math.floor(random.between(safe, bytes.length + 1))
      truncateSync(file, cut)
    }
  }

  close(keep: boolean): void {
    if (!this.canFill || keep) return
    spawnSync('umount', ['--lazy', this.dir])
  }

  /** The segments that hold something. */
  #segments(): [string, Buffer][] {
    return readdirSync(this.dir)
      .filter((name) => name.startsWith('agent-'))
      .map((name) => join(this.dir, name, 'journal'))
      .filter((dir) => existsSync(dir))
      .flatMap((dir) =>
        readdirSync(dir)
          .sort()
          .map((name): [string, Buffer] => [join(dir, name), readFileSync(join(dir, name))]),
      )
      .filter(([, bytes]) => bytes.length > 0)
  }
}

/** Beginnings are on disk before anything starts: a power cut takes none of them. The frame behind one is written with it. */
function afterLastBeginning(bytes: Buffer): number {
  const text = bytes.toString('latin1')
  let safe = 0
  for (const { index, 0: line } of text.matchAll(/^[0-9a-f]{8} B .*\n.*\n/gm)) safe = index + line.length
  return safe
}

function writeUntilFull(fd: number, block: Buffer): void {
  try {
    while (writeSync(fd, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
