import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isPublicAddress } from '../../core/fetch/publicAddress.ts'
import { defaultLimits, FetchRefused, type Net, safeFetch } from '../../core/fetch/safeFetch.ts'
import { fetchSkill } from '../../core/skills/lookForSkills.ts'

/* A real https server, and names that resolve to whatever a case says. Whoever is connected to is written down. */

const HOST = 'skills.example.org'
const PUBLIC = '93.184.215.14'
const dir = mkdtempSync(join(tmpdir(), 'skynet-fetch-'))
let ca: Buffer
let port = 0
let answer: (request: IncomingMessage, response: ServerResponse) => void
let dialled: string[] = []
let asked: string[] = []

const server = await (async () => {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${HOST}`,
      '-addext',
      `subjectAltName=DNS:${HOST},DNS:other.example.org`,
      '-keyout',
      join(dir, 'key.pem'),
      '-out',
      join(dir, 'cert.pem'),
    ],
    { stdio: 'ignore' },
  )
  ca = readFileSync(join(dir, 'cert.pem'))
  return createServer({ key: readFileSync(join(dir, 'key.pem')), cert: ca }, (request, response) =>
    answer(request, response),
  )
})()

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})
beforeEach(() => {
  dialled = []
  asked = []
  answer = (_, response) => response.end('a skill')
})

/** Every connection ends at the local server; what matters is which address was wanted. */
const netOf = (resolve: (host: string, n: number) => readonly string[]): Net => ({
  resolve: async (host) => resolve(host, asked.push(host)),
  dial: (address, host) => {
    dialled.push(address)
    return connect({ host: '127.0.0.1', port, servername: host, ca })
  },
})
const fetchFrom = (url: string, net: Net, limits = defaultLimits) =>
  safeFetch(url, [HOST, 'other.example.org'], limits, net)
const outcome = (url: string, net: Net): Promise<string> =>
  fetchFrom(url, net).catch((error: unknown) => {
    if (error instanceof FetchRefused) return 'refused'
    throw error
  })

/** Addresses that are not of the open internet, as a resolver gives them. */
const privateAddresses = [
  ...[
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.254',
    '127.0.0.1',
    '127.1.2.3',
    '127.255.255.255',
  ],
  ...[
    '169.254.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.254',
    '192.0.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
  ],
  ...[
    '192.168.255.255',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
  ],
  ...[
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
  ],
  ...[
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2002:c0a8:1::',
    '2001::1',
    '2001:0:4136:e378::',
  ],
  ...[
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fdff:ffff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fe80::1%25lo',
    'febf::1',
    'fec0::1',
    'ff02::1',
    'ff0e::1',
  ],
  ...[
    '100::1',
    '2001:db8::1',
    '2001:10::1',
    '2001:20::1',
    '2001:2::1',
    '3fff::1',
    '5f00::1',
    '::1%lo',
    '2606:4700::1111%eth0',
  ],
]
/** Notations that one program reads as an address and another does not. */
const oddNotations = [
  ...[
    '2130706433',
    '0x7f000001',
    '017700000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '10.1',
    '3232235521',
    '0xa9fea9fe',
  ],
  ...[
    '169.254.43518',
    '127.0.0.1.',
    '127.0.0.01',
    '0127.0.0.1',
    '1.1.1.1 ',
    ' 1.1.1.1',
    '1.1.1.256',
    '1.1.1',
    '',
    'localhost',
    '①②⑦.⓪.⓪.①',
  ],
]
const hostForms = [
  ...[
    ...privateAddresses.filter((a) => !a.includes(':')),
    ...oddNotations.filter((a) => a.trim() !== ''),
  ].map((a) => `https://${a}/x`),
  ...privateAddresses.filter((a) => a.includes(':')).map((a) => `https://[${a}]/x`),
  ...[
    'localhost',
    'LOCALHOST',
    'metadata.google.internal',
    'instance-data',
    `${HOST}.evil.org`,
    `evil-${HOST}`,
    `${HOST}.`,
  ].map((h) => `https://${h}/x`),
  ...[
    `http://${HOST}/x`,
    `ftp://${HOST}/x`,
    'file:///etc/passwd',
    'gopher://127.0.0.1:70/x',
    'data:text/plain,x',
    `https://${HOST}:8443/x`,
    `https://user@${HOST}/x`,
    `https://${HOST}@127.0.0.1/x`,
    `https://127.0.0.1#@${HOST}/`,
    `https://127.0.0.1\\@${HOST}/`,
    'https://',
    'x',
    `//${HOST}/x`,
  ],
]

describe('a fetch', () => {
  test('gets a text from a listed host', async () => {
    expect(
      await fetchFrom(
        `https://${HOST}/skill.md`,
        netOf(() => [PUBLIC]),
      ),
    ).toBe('a skill')
    expect(dialled).toEqual([PUBLIC])
  })

  test(`reaches none of ${privateAddresses.length} addresses that are not of the open internet, also as one of several`, async () => {
    for (const address of privateAddresses) {
      for (const all of [[address], [PUBLIC, address], [address, PUBLIC]])
        expect(
          await outcome(
            `https://${HOST}/x`,
            netOf(() => all),
          ),
          address,
        ).toBe('refused')
    }
    expect(dialled).toEqual([])
    expect(privateAddresses.length * 3 + oddNotations.length).toBeGreaterThan(200)
  })

  test('takes no odd notation for an address', async () => {
    expect(oddNotations.filter(isPublicAddress)).toEqual([])
    for (const address of oddNotations)
      expect(
        await outcome(
          `https://${HOST}/x`,
          netOf(() => [address]),
        ),
      ).toBe('refused')
    expect(dialled).toEqual([])
  })

  test('asks nothing of a host that is not listed, however it is written', async () => {
    for (const url of hostForms)
      expect(
        await outcome(
          url,
          netOf(() => [PUBLIC]),
        ),
        url,
      ).toBe('refused')
    expect([dialled, asked]).toEqual([[], []])
  })

  test('follows redirects only to where it could have been sent itself', async () => {
    let target = ''
    answer = (_, response) => response.writeHead(302, { location: target }).end()
    for (const url of hostForms.filter((form) => !['x', `//${HOST}/x`, 'https://'].includes(form))) {
      target = encodeURI(url).replaceAll('%5B', '[').replaceAll('%5D', ']')
      dialled = []
      expect(
        await outcome(
          `https://${HOST}/x`,
          netOf(() => [PUBLIC]),
        ),
        url,
      ).toBe('refused')
      expect(dialled, url).toEqual([PUBLIC])
    }
  })

  test('looks a redirect’s host up anew, and refuses one that has become private', async () => {
    answer = (_, response) => response.writeHead(302, { location: 'https://other.example.org/x' }).end()
    for (const address of privateAddresses) {
      dialled = []
      const net = netOf((host) => (host === HOST ? [PUBLIC] : [address]))
      expect(await outcome(`https://${HOST}/x`, net), address).toBe('refused')
      expect(dialled).toEqual([PUBLIC])
    }
  })

  test('connects to the address that was checked, whatever the name says a moment later', async () => {
    for (const address of privateAddresses) {
      dialled = []
      asked = []
      const net = netOf((_, n) => (n === 1 ? [PUBLIC] : [address]))
      expect(await outcome(`https://${HOST}/x`, net)).toBe('a skill')
      expect(dialled).toEqual([PUBLIC])
      expect(asked).toHaveLength(1)
    }
  })

  test('ends at its limits: size, time, redirects, and what is no text', async () => {
    const net = netOf(() => [PUBLIC])
    const tight = { bytes: 1024, ms: 400, redirects: 2 }
    const replies: [RegExp, typeof answer][] = [
      [/more than 1 KiB/, (_, response) => void response.end('x'.repeat(5000))],
      [/in time|broke off/, () => {}],
      [/redirects/, (_, response) => void response.writeHead(302, { location: '/again' }).end()],
      [/no text/, (_, response) => void response.end(Buffer.from([0xff, 0xfe, 0x80]))],
      [/answered 404/, (_, response) => void response.writeHead(404).end()],
    ]
    for (const [words, reply] of replies) {
      answer = reply
      await expect(fetchFrom(`https://${HOST}/x`, net, tight)).rejects.toThrow(words)
    }
  })

  test('does not speak to a server that cannot show that it is the host', async () => {
    const net: Net = {
      ...netOf(() => [PUBLIC]),
      dial: (_, host) => connect({ host: '127.0.0.1', port, servername: host }),
    }
    expect(await outcome(`https://${HOST}/x`, net)).toBe('refused')
  })
})

describe('a skill', () => {
  test('comes through it as it is on any system, and nothing beside it is asked for', async () => {
    const paths: (string | undefined)[] = []
    answer = (request, response) => {
      paths.push(request.url)
      response.end('\ufeff---\r\nname: x\r\ndescription: y\r\n---\r\nRun scripts/x.sh\r\n')
    }
    const net = netOf(() => [PUBLIC])
    expect(await fetchSkill(`https://${HOST}/x/SKILL.md`, [HOST], net)).toBe(
      '---\nname: x\ndescription: y\n---\nRun scripts/x.sh\n',
    )
    expect({ paths, dialled }).toEqual({ paths: ['/x/SKILL.md'], dialled: [PUBLIC] })
  })

  test('larger than 64 KiB, or from a host that is not listed, does not', async () => {
    answer = (_, response) => response.end('x'.repeat(64 * 1024 + 1))
    const net = netOf(() => [PUBLIC])
    await expect(fetchSkill(`https://${HOST}/SKILL.md`, [HOST], net)).rejects.toThrow(/more than 64 KiB/)
    await expect(fetchSkill('https://other.example.org/SKILL.md', [HOST], net)).rejects.toThrow(
      /SKYNET_SKILL_HOSTS/,
    )
    expect(dialled).toEqual([PUBLIC])
  })
})
