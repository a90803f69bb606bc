import { watches } from '../../core/redaction/formats.ts'
import { createRedactor } from '../../core/redaction/redact.ts'
import { ruleWords } from '../../core/redaction/ruleSet.ts'
import { cleanLines } from '../../tests/support/cleanLines.ts'
import { configuredSecrets, plantTokens } from '../../tests/support/plantedSecrets.ts'
import { Random } from '../../tests/support/random.ts'
import { atLeast, type Contestant, compare, exactly, lines, scaled } from '../compare.ts'
import { peer, type SecretFinder } from '../peers.ts'

const CHARACTERS = scaled(4_000_000)
/** One line in so many has a secret in it. */
const SECRET_EVERY = 200
/** What a command prints at a time, at the most, and lines of about that: output is to be seen while it is printed. */
const CHUNK = 1024
const LINES = 8

type Log = { text: string; chunks: string[]; secrets: string[] }

/** Log lines, some with tokens of formats that the rules of both sides know, cut without regard to lines. */
function makeLog(): Log {
  const r = new Random(8)
  const clean = cleanLines(20_000, 8).filter((line) => line.length < 2000)
  const planted = plantTokens(Math.ceil(CHARACTERS / 60 / SECRET_EVERY), 8)
  const out: string[] = []
  const secrets: string[] = []
  for (let size = 0, n = 0; size < CHARACTERS; n++) {
    const secret = n % SECRET_EVERY === 0 ? planted[secrets.length] : undefined
    if (secret) secrets.push(secret)
    const line = secret ? `info: using ${secret} for this` : r.pick(clean)
    out.push(line)
    size += line.length + 1
  }
  const text = `${out.join('\n')}\n`
  const chunks: string[] = []
  for (let at = 0; at < text.length; ) {
    const size = 1 + r.int(CHUNK)
    chunks.push(text.slice(at, at + size))
    at += size
  }
  return { text, chunks, secrets }
}

const found = (secrets: readonly string[], out: string): number =>
  secrets.filter((s) => !out.includes(s)).length

/** Megabytes a second that `work` goes through; what it leaves is looked at outside the time. */
async function speed(
  size: number,
  work: () => string | Promise<string>,
): Promise<{ rate: number; out: string }> {
  const began = performance.now()
  const out = await work()
  return { rate: size / 1000 / (performance.now() - began), out }
}

function product({ text, chunks, secrets }: Log): Contestant {
  const redacting = createRedactor({ known: configuredSecrets(8, 2) })
  return {
    name: 'SKYNET',
    round: async () => {
      const { rate, out } = await speed(text.length, () => {
        const stream = redacting.stream()
        return chunks.map((chunk) => stream.push(chunk)).join('') + stream.end()
      })
      exactly('secrets found', found(secrets, out), secrets.length)
      return rate
    },
  }
}

/** It has no streams: it is given whole lines, so that it finds what is split as well. */
function secretlint(find: SecretFinder, { text, secrets }: Log): Contestant {
  const blocks = text.match(new RegExp(`(?:.*\\n){1,${LINES}}`, 'g')) ?? []
  return {
    name: 'secretlint',
    round: async () => {
      const { rate, out } = await speed(text.length, async () => {
        let redacted = ''
        for (const block of blocks) redacted += without(block, await find(block))
        return redacted
      })
      exactly('secrets found by secretlint', found(secrets, out), secrets.length)
      return rate
    },
  }
}

function without(text: string, ranges: readonly (readonly [number, number])[]): string {
  let out = ''
  let at = 0
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (start < at) continue
    out += `${text.slice(at, start)}[redacted]`
    at = end
  }
  return out + text.slice(at)
}

/** The least that has to be done: one look for every word that a rule begins with, by one regular expression. */
function keywordScan({ text }: Log): Contestant {
  const words = [...watches.flatMap((w) => w.words), ...Object.values(ruleWords).flatMap((r) => r.words)]
  const pattern = new RegExp(
    [...new Set(words)].map((w) => w.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'),
    'gi',
  )
  return {
    name: 'keyword scan (limit)',
    round: async () => {
      const { rate, out } = await speed(text.length, () => {
        let hits = 0
        for (const _ of text.matchAll(pattern)) hits++
        return String(hits)
      })
      if (Number(out) === 0) throw new Error('no word was found')
      return rate
    },
  }
}

/** Row 8: the same rules as the peer, and names and configured secrets besides. All secrets must be found each round. */
export async function redactionRow(): Promise<string[]> {
  const log = makeLog()
  const find = await peer<SecretFinder>('secretlint', 'findSecrets')
  const figures = await compare([product(log), secretlint(find, log), keywordScan(log)])
  return [
    ...lines(figures, ' MB/s', 1),
    `${log.secrets.length} secrets in ${(log.text.length / 1e6).toFixed(1)} MB, all found in every round`,
    atLeast(figures, 'SKYNET', 'secretlint', 10),
  ]
}
