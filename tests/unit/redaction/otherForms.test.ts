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
  ])
    expect(redacting.redact(line)).toBe(line)
})
