import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { newSigningKey } from '../protocol/grants.ts'
import { KeyChain, type KeyStatement, succeedKey } from '../protocol/keyChain.ts'
import { ConfigError } from './settings.ts'

const Secrets = z.object({
  api_token: z.string().min(32),
  gateway_token: z.string().min(32),
  /** The gateway's own bearer for the API (scope gateway). */
  gateway_api_token: z.string().min(32),
  /** PKCS#8 PEM of the Ed25519 key that signs grants. */
  signing_key: z.string().includes('PRIVATE KEY'),
  /** How that key follows from those before it. */
  key_chain: KeyChain.default([]),
  /** What the local Telegram and the bot share when there is no real token. */
  playground_token: z.string(),
})
export type Secrets = z.infer<typeof Secrets>

const fresh = (): Secrets => ({
  api_token: randomBytes(32).toString('base64url'),
  gateway_token: randomBytes(32).toString('base64url'),
  gateway_api_token: randomBytes(32).toString('base64url'),
  signing_key: newSigningKey().privatePem,
  key_chain: [],
  playground_token: `1000000001:${randomBytes(26).toString('base64url').slice(0, 35)}`,
})

/**
 * The installation's generated secrets, `secrets.json` (0600) in the data directory, made once even when two
 * processes ask at the same time. Throws ConfigError when the file is there and cannot be used.
 */
export async function openSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const text = (await readIfThere(file)) ?? (await create(file))
  const parsed = Secrets.safeParse(parseJson(text))
  if (!parsed.success)
    throw new ConfigError(
      `${file} is damaged. Restore it from a backup; without it agents must be enrolled again.`,
    )
  return parsed.data
}

/**
 * Puts a new signing key in the place of the old one, which signs for it and is then gone. Agents take the old one's grants
 * for `overlapMs` more once they have heard of it. Processes that run sign with the old one until they start anew.
 */
export async function rotateSigningKey(
  dataDir: string,
  now: Date,
  overlapMs: number,
): Promise<KeyStatement['succession']> {
  const secrets = await openSecrets(dataDir)
  const { privatePem, statement } = succeedKey(secrets.signing_key, now, overlapMs)
  const next = {
    ...secrets,
    signing_key: privatePem,
    key_chain: [...secrets.key_chain, statement].slice(-64),
  }
  const draft = join(dataDir, `secrets.json.${process.pid}.${randomBytes(4).toString('hex')}`)
  await writeFile(draft, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600, flush: true })
  await rename(draft, join(dataDir, 'secrets.json'))
  return statement.succession
}

const readIfThere = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

async function create(file: string): Promise<string> {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${JSON.stringify(fresh(), null, 2)}\n`, { mode: 0o600, flush: true })
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await unlink(draft)
  return readFile(file, 'utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
