import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { watches } from '../../../core/redaction/formats.ts'
import { createRedactor, redactor } from '../../../core/redaction/redact.ts'
import { ruleNames, ruleWords, unusedRules } from '../../../core/redaction/ruleSet.ts'
import { cleanLines } from '../../support/cleanLines.ts'
import { configuredSecrets, plantSecrets } from '../../support/plantedSecrets.ts'
import { Random } from '../../support/random.ts'

const known = configuredSecrets(12, 5)
const planted = plantSecrets(3000, 11, known)
const redacting = createRedactor({ known })

/** Those of which something is left, in words for a person who mends it. */
const leftOf = (outOf: (text: string) => string): string[] =>
  planted.flatMap(({ name, text, forbidden }) => {
    const out = outOf(text)
    return out.includes(forbidden) ? [`${name}: ${text} -> ${out}`] : []
  })

const leftIn = (whole: string): string[] =>
  planted.filter(({ forbidden }) => whole.includes(forbidden)).map(({ name, text }) => `${name}: ${text}`)

/** A text cut at places that differ each time. */
function cut(text: string, r: Random, longest: number): string[] {
  const parts: string[] = []
  for (let at = 0; at < text.length; ) {
    const size = 1 + r.int(longest)
    parts.push(text.slice(at, at + size))
    at += size
  }
  return parts
}

describe('a redactor', () => {
  test('finds every one of 3,000 secrets', () => {
    expect(leftOf(redacting.redact)).toEqual([])
  })

  test('finds them all in one text', () => {
    expect(leftIn(redacting.redact(planted.map(({ text }) => text).join('\n')))).toEqual([])
  })

  test('changes nothing when it is used again', () => {
    const again = planted
      .map(({ text }) => redacting.redact(text))
      .filter((once) => redacting.redact(once) !== once)
    expect(again).toEqual([])
  })

  test('touches under 0.1 percent of 25,000 lines without a secret', () => {
    const lines = cleanLines(25_000, 3)
    const touched = lines.filter((line) => redacting.redact(line) !== line)
    expect(lines.length).toBeGreaterThanOrEqual(25_000)
    expect(touched.length / lines.length, touched.slice(0, 40).join('\n')).toBeLessThan(0.001)
  })

  test('says what it took out and leaves the rest', () => {
    const texts: Record<string, string> = {
      [`key ghp_${'a1B2'.repeat(9)} end`]: 'key [redacted: github token] end',
      'postgres://app:s3cr3t@db:5432/app': 'postgres://app:[redacted: url password]@db:5432/app',
      'password=hunter22 next': 'password=[redacted: value] next',
      'Authorization: Bearer abcdef0123456789': 'Authorization: Bearer [redacted: authorization]',
      [`x ${known[0]} y`]: 'x [redacted: secret] y',
    }
    expect(Object.keys(texts).map(redacting.redact)).toEqual(Object.values(texts))
  })

  test('is not switched off by what a text says', () => {
    const token = `glpat-${'a1B2c'.repeat(4)}`
    for (const text of [
      `secretlint-disable\n${token}`,
      `${token} // secretlint-disable-line`,
      `<!-- gitleaks:allow --> ${token}`,
    ])
      expect(redacting.redact(text)).not.toContain(token)
  })

  test('takes time that grows with the text and no faster, whatever the text', () => {
    const words = [
      ...watches.flatMap((w) => w.words),
      ...Object.values(ruleWords).flatMap((r) => r.words),
      ...known.map((k) => k.slice(0, 8)),
    ]
    const worst = words.flatMap((word) =>
      ['', '=', 'a1', ' ', '-a', '.a1B2', '://', '"\\"'].map((glue) => word + glue),
    )
    redacting.redact('warm')
    const slow = worst.filter((piece) => {
      const text = piece.repeat(Math.ceil(8192 / piece.length))
      const before = process.cpuUsage()
      redacting.redact(text)
      const { user, system } = process.cpuUsage(before)
      return user + system > 0.5e6
    })
    expect(slow).toEqual([])
  })

  test('uses every rule of the package, or says that it does not', () => {
    expect([...Object.keys(ruleWords), ...unusedRules].sort()).toEqual(ruleNames().sort())
  })
})

describe('a stream', () => {
  test('finds all secrets wherever it is cut', () => {
    const whole = planted.map(({ text }) => text).join('\n')
    for (const [seed, longest] of [
      [1, 3],
      [2, 20],
      [3, 400],
      [4, 9000],
    ] as const) {
      const stream = redacting.stream()
      const out =
        cut(whole, new Random(seed), longest)
          .map((chunk) => stream.push(chunk))
          .join('') + stream.end()
      expect(leftIn(out)).toEqual([])
    }
  })

  test('lets whole lines go at once and holds back no more than a line', () => {
    const stream = redacting.stream()
    expect(stream.push('one\ntwo\nthr')).toBe('one\ntwo\n')
    expect(stream.push('ee\n')).toBe('three\n')
    let most = 0
    let said = 0
    for (let i = 1; i <= 300; i++) {
      said += stream.push('x'.repeat(1000)).length
      most = Math.max(most, i * 1000 - said)
    }
    expect(most).toBeLessThan(70_000)
    expect(said + stream.end().length).toBe(300_000)
  })

  test('finds a secret anywhere in a line without end', () => {
    const token = `ghp_${'x9Y8'.repeat(9)}`
    for (let pad = 60_000; pad < 66_000; pad += 397) {
      const stream = redacting.stream()
      const out =
        stream.push('a '.repeat(pad / 2)) +
        stream.push(`${token} `) +
        stream.push('b '.repeat(40_000)) +
        stream.end()
      expect(out).not.toContain('x9Y8x9Y8')
    }
  })

  test('changes nothing of text without secrets, however it is cut', () => {
    const whole = cleanLines(3000, 9).slice(-3000).join('\n')
    const plain = redactor([])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 5000 }), (seed, longest) => {
        const stream = redacting.stream()
        const out =
          cut(whole, new Random(seed), longest)
            .map((chunk) => stream.push(chunk))
            .join('') + stream.end()
        expect(out).toBe(plain(whole))
      }),
      { numRuns: 15 },
    )
  })
})

describe('lines that come one block after the other', () => {
  const folded = (text: string, at: number): string[] =>
    (text.match(new RegExp(`.{1,${at}}`, 'g')) ?? []).map((line) => `${line}\n`)

  test('hide a configured secret that was folded into lines', () => {
    for (const secret of known.filter((s) => s.length >= 20))
      for (const written of [
        secret,
        Buffer.from(`a:${secret}:b`).toString('base64'),
        Buffer.from(secret).toString('hex'),
      ])
        for (const width of [Math.ceil(written.length * 0.6), Math.ceil(written.length / 2) + 1, 19]) {
          const lines = redacting.lines()
          const out = folded(written, width).map(lines).join('')
          const parts = folded(written, width)
            .slice(0, -1)
            .filter((line) => line.trim().length >= 12)
          const seen = parts.filter((line) => out.includes(line.trim()) && secret.includes(line.trim()))
          expect(seen, `${written} in lines of ${width}: ${out}`).toEqual([])
        }
  })

  test('hide a private key from its first line to its last, and nothing after it', () => {
    const r = new Random(4)
    const body = Array.from({ length: 12 }, () => r.text(64, 'ABCDEFabcdef0123456789+/'))
    const key = [
      'before',
      '-----BEGIN RSA PRIVATE KEY-----',
      'Proc-Type: 4,ENCRYPTED',
      '',
      ...body,
      'AbC=',
      '-----END RSA PRIVATE KEY-----',
      'after',
    ]
    const lines = redacting.lines()
    const out = key.map((line) => lines(`${line}\n`)).join('')
    expect(body.filter((line) => out.includes(line.slice(0, 20)))).toEqual([])
    expect(out.startsWith('before\n[redacted: private key]')).toBe(true)
    expect(out.endsWith('after\n')).toBe(true)
  })

  test('go on where a key breaks off', () => {
    const lines = redacting.lines()
    const said = [
      '-----BEGIN PRIVATE KEY-----',
      'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
      'no key was found; stopping.',
      'the end',
    ]
      .map((line) => lines(`${line}\n`))
      .join('')
    expect(said).not.toContain('MIIE')
    expect(said).toContain('no key was found; stopping.\nthe end\n')
  })
})

describe('pieces', () => {
  test('hide what is split over them, each in its place', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    for (let at = 1; at < token.length; at++) {
      const [a = '', b = ''] = redacting.pieces([`x ${token.slice(0, at)}`, `${token.slice(at)} y`])
      expect([a, b]).toEqual(['x [redacted: github token]', ' y'])
    }
  })
})
