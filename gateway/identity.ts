import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** This gateway's id: made once, kept in its directory. */
export function gatewayIdIn(dir: string): string {
  const file = join(dir, 'gateway-id')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, randomUUID(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return z.uuid(`${file} does not hold a UUID`).parse(readFileSync(file, 'utf8').trim())
}
