import { describe, expect, test } from 'vitest'
import { createRedactor } from '../../../core/redaction/redact.ts'
import { Random } from '../../support/random.ts'

/* Ways a secret was found to get through by somebody who had read the code. */

const secret = 'kq7Zp2LxW9vT4mB8nRdS'
const redacting = createRedactor({ known: [secret] })
const base64 = (text: string, as: BufferEncoding = 'utf8') => Buffer.from(text, as).toString('base64')
const each = (as: (code: number) => string) => [...secret].map((c) => as(c.charCodeAt(0))).join('')
const hex = Buffer.from(secret).toString('hex')

function base32(text: string): string {
  const bits = [...Buffer.from(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g) ?? []
  return fives.map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)]).join('')
}

describe('a configured secret', () => {
  test.each([
    ['JSON escapes', each((code) => `\\u${code.toString(16).padStart(4, '0')}`)],
    ['octal escapes', each((code) => `\\${code.toString(8).padStart(3, '0')}`)],
    ['short octal escapes', each((code) => `\\${code.toString(8)}`)],
    ['entities', each((code) => `&#${code};`)],
    ['base64 of UTF-16', base64(secret, 'utf16le')],
    ['base64 twice', base64(base64(secret))],
    ['base64 twice, with a line end', base64(base64(`${secret}\n`))],
    ['colours within', `${secret.slice(0, 9)}\u001b[31m${secret.slice(9)}`],
    ['what prints nothing within', `${secret.slice(0, 9)}\u200b${secret.slice(9)}`],
    ['xxd', hex.replace(/(.{4})/g, '$1 ')],
    ['xxd, from an odd place', `41${hex}`.replace(/(.{4})/g, '$1 ')],
    ...[0, 1, 2, 3, 4].map((n) => [`base32 after ${n}`, base32('x'.repeat(n) + secret)] as [string, string]),
  ])('%s', (_, form) => {
    const out = redacting.redact(`value ${form} end`)
    expect(out).toContain('[redacted: secret]')
    expect(out.length).toBeLessThan('value  end'.length + 30 + (form.length - secret.length) / 4)
  })
})

/** As `od` and its like print bytes: words of two, 16 bytes a line, each line with its address. */
function dumped(text: string, write: (low: number, high: number) => string): string {
  const bytes = [...Buffer.from(`${text}\n\0`)]
  const words = Array.from({ length: bytes.length >> 1 }, (_, i) =>
    write(bytes[2 * i] ?? 0, bytes[2 * i + 1] ?? 0),
  )
  const lines = words.join(' ').match(/(?:\S+ ?){1,8}/g) ?? []
  return lines.map((line, i) => `${(i * 16).toString(8).padStart(7, '0')} ${line.trim()}`).join('\n')
}
const octal = (low: number, high: number) => ((high << 8) | low).toString(8).padStart(6, '0')
const little = (low: number, high: number) => ((high << 8) | low).toString(16).padStart(4, '0')

describe('a configured secret that a program has taken apart', () => {
  test.each([
    ['turned round', [...secret].reverse().join('')],
    ['in capitals', secret.toUpperCase()],
    ['in small letters', secret.toLowerCase()],
    ['spaced out', [...secret].join(' ')],
    ['by commas', [...secret].join(', ')],
    ['by dashes', [...secret].join('-')],
    ['a character a line', [...secret].join('\n')],
    ['od -c', (secret.match(/.{1,16}/g) ?? []).map((line) => [...line].join('   ')).join('\n0000020   ')],
    ['od', dumped(secret, octal)],
    ['od, from an odd place', dumped(`x${secret}`, octal)],
    ['od -x', dumped(secret, little)],
    ['hexdump, from an odd place', dumped(`abc${secret}`, little)],
  ])('%s', (_, form) => {
    const out = redacting.redact(`value ${form} end`)
    expect(out).toContain('[redacted: secret]')
    const left = out.replace('[redacted: secret]', '').replace(/0000020/g, '')
    for (const piece of [secret.slice(4, 12), form.slice(8, 20)]) expect(left).not.toContain(piece)
  })

  test('one that is a word stays a word in another case', () => {
    const plain = createRedactor({ known: ['production-database'] })
    expect(plain.redact('PRODUCTION-DATABASE of 3')).toBe('PRODUCTION-DATABASE of 3')
  })
})

const random = new Random(7)
const some = (letters: string, n: number) =>
  Array.from({ length: n }, () => letters[random.int(letters.length)]).join('')
const alnum = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const digits = '0123456789abcdef'

describe('tokens and passwords by their shape', () => {
  test.each([
    () => `NRAK-${some('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 27)}`,
    () => `nfp_${some(alnum, 36)}`,
    () => `sbp_${some(digits, 40)}`,
    () => `ntn_${some(alnum, 46)}`,
    () => `HRKU-${some(alnum, 60)}`,
    () => `rubygems_${some(digits, 48)}`,
    () => `CCIPAT_${some(alnum, 22)}_${some(digits, 40)}`,
    () => `sq0atp-${some(alnum, 22)}`,
    () => `phx_${some(alnum, 43)}`,
    () => `FlyV1 fm2_${some(alnum, 100)}`,
    () => `dp.pt.${some(alnum, 43)}`,
    () => `ATATT3xFfGF0${some(alnum, 180)}`,
    () => `EAAC${some(alnum, 150)}`,
    () => `key-${some(digits, 32)}`,
    () => `SK${some(digits, 32)}`,
    () => `PMAK-${some(digits, 24)}-${some(digits, 34)}`,
    () => `CFPAT-${some(alnum, 43)}`,
    () =>
      `pat-na1-${some(digits, 8)}-${some(digits, 4)}-${some(digits, 4)}-${some(digits, 4)}-${some(digits, 12)}`,
    () => `pscale_pw_${some(alnum, 43)}`,
    () => `lin_oauth_${some(digits, 64)}`,
    () => `squ_${some(digits, 40)}`,
    () => `sb_secret_${some(alnum, 31)}`,
    () => `AKCp${some(alnum, 69)}`,
    () => `LTAI${some(alnum, 20)}`,
    () => `sk.eyJ${some(alnum, 80)}.${some(alnum, 22)}`,
    () => `${some(alnum, 14)}.atlasv1.${some(alnum, 67)}`,
    () => `${some(alnum, 3)}8Q~${some(alnum, 34)}`,
    () => `curl -s -u ana:${some(alnum, 16)} https://example.org`,
    () => `curl --user 'ana:${some(alnum, 16)}' https://example.org`,
    () => `sshpass -p ${some(alnum, 12)} ssh host`,
    () => `mysql -h db -u root -p${some(alnum, 12)} shop`,
    () => `machine example.org login ana password ${some(alnum, 12)}`,
    () => `machine example.org\n  login ana\n  password ${some(alnum, 12)}`,
    () => `<password>${some(alnum, 14)}</password>`,
    () => `<server:apiKey id="1">${some(alnum, 30)}</server:apiKey>`,
  ])('%s', (make) => {
    for (let i = 0; i < 20; i++) {
      const text = make()
      const core = (/[A-Za-z0-9]{12,}(?=\W*(?:https|ssh|shop|<|$))/.exec(text)?.[0] ?? '').slice(-12)
      expect(core).not.toBe('')
      expect(redacting.redact(`log: ${text}\n`)).not.toContain(core)
      const stream = redacting.stream()
      let out = ''
      for (const piece of `log: ${text}\n`.match(/[\s\S]{1,7}/g) ?? []) out += stream.push(piece)
      expect(out + stream.end()).not.toContain(core)
    }
  })
})

test('ordinary lines that look a little like it stay', () => {
  for (const line of [
    'docker run -u 1000:1000 alpine',
    'sort -u a:b',
    'curl -u $USER:$PASS https://example.org',
    'curl -sS https://example.org/a',
    'mysql -p',
    'mysql -h db -u root -p shop',
    'mysqladmin status',
    'sshpass -f file ssh host',
    'sshpass -p $PASS ssh host',
    'password reset for ana',
    'login with a password works again',
    'default password policy applies',
    '<password></password>',
    `<password>${'${'}db.password}</password>`,
    '<token>string</token>',
    'key-value store with key-0123',
    'SKIPPED 12 tests',
    'EAAgain and again',
    'dp.pt is not set',
    'pat-na1-region is set',
    'the shippo_live_mode flag and ssl.books',
    'LTAI is a name',
    'sqa_manual_testing_of_the_whole_thing',
  ])
    expect(redacting.redact(line)).toBe(line)
})
