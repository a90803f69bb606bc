import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { Line } from '../tests/support/privateServers.ts'

/** Something that brings a task from its creation to its stored end, each step of it durable. */
export type LifecyclePeer = { live(): Promise<void>; done(): Promise<number>; close(): Promise<void> }

/** Something that takes no-op tasks in and works them off; `left`: those without a stored end. */
export type Drainer = {
  fill(count: number): Promise<void>
  drain(count: number): Promise<void>
  left(): Promise<number>
  close(): Promise<void>
}

/** Something that begins work soon after it is committed. Moments are milliseconds of the wall clock. */
export type Starter = {
  /** `at`: when its clock starts. */
  commit(): Promise<{ id: string; at: number }>
  /** When each began. */
  started(): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

/** Something that brings texts to another process, in order; `send` resolves with what arrived there. */
export type FrameSide = {
  /** What its connection goes over, and can be cut. */
  line: Pick<Line, 'cut' | 'mend'>
  send(texts: readonly string[]): Promise<string[]>
  close(): Promise<void>
}

/** Makes a webhook that stores every update before it answers. */
export type UpdateTaker = (
  secret: string,
  botInfo: object,
  store: (update: { update_id: number }) => Promise<unknown>,
) => Promise<RequestListener>

/** Shows lines in a chat as they come; resolves once the last one is shown. */
export type LogShower = (
  to: { apiRoot: string; token: string; chatId: number; signal: AbortSignal },
  lines: AsyncIterable<string>,
) => Promise<void>

/** Says where in a text secrets stand. */
export type SecretFinder = (text: string) => Promise<(readonly [start: number, end: number])[]>
/** Keeps vectors, numbered from 1, and finds the nearest ones by their angle. */
export type VectorSide = {
  add(vectors: readonly (readonly number[])[], first: number): Promise<void>
  near(vector: readonly number[], count: number): Promise<number[]>
  close(): Promise<void>
}
/** What a command becomes for a program that confines it: words to start. */
export type SpawnSide = { command(): Promise<[string, ...string[]]>; close(): Promise<void> }

const dir = join(import.meta.dirname, 'peers')

/**
 * Opens a peer of bench/peers, which are a package of their own, so that the product's install stays small: they are
 * installed when a benchmark first needs one.
 */
export async function peer<T>(file: string, open: string): Promise<T> {
  install()
  const module = (await import(join(dir, `${file}.ts`))) as Record<string, T>
  const found = module[open]
  if (found === undefined) throw new Error(`bench/peers/${file}.ts has no ${open}`)
  return found
}

/** The lock file as it was when the peers were installed. */
const stamp = join(dir, 'node_modules/.installed')

function install(): void {
  const lock = readFileSync(join(dir, 'package-lock.json'), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  console.error('Installing what the benchmarks compare with (bench/peers, 45 MB, once).')
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(stamp, lock)
}
