import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Playground } from '../../../playground/server.ts'
import { start, token, visitor } from './setup.ts'

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string }

/** A request with headers that fetch would not let through. */
function ask(
  playground: Playground,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request(`${playground.url}${path}`, { method, headers }, (res) => {
      let text = ''
      res.on('data', (part) => {
        text += part
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text }))
    })
    req.on('error', reject)
    req.end(body)
  })
}

async function signIn(playground: Playground): Promise<{ cookie: string }> {
  const opened = await ask(playground, playground.pageUrl.slice(playground.url.length))
  return { cookie: String(opened.headers['set-cookie']).split(';')[0] ?? '' }
}

describe('the page', () => {
  test('opens by a link that works once, then by a strict cookie', async () => {
    const { playground } = await start()
    const link = playground.pageUrl.slice(playground.url.length)
    expect((await ask(playground, '/')).status).toBe(401)
    expect((await ask(playground, '/api/state')).status).toBe(401)
    expect((await ask(playground, '/open?key=wrong')).status).toBe(401)
    const opened = await ask(playground, link)
    expect(opened.status).toBe(200)
    expect(String(opened.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await ask(playground, link)).status).toBe(401)
    const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? ''
    expect((await ask(playground, link, { cookie })).status).toBe(200)
    expect((await ask(playground, '/', { cookie })).headers['content-security-policy']).toContain(
      "default-src 'none'",
    )
    expect(playground.pageUrl.slice(playground.url.length)).not.toBe(link)
  })

  test('takes JSON only', async () => {
    const { playground } = await start()
    const session = await signIn(playground)
    const plain = await ask(
      playground,
      '/api/send',
      { ...session, 'content-type': 'text/plain' },
      'POST',
      '{"text":"x"}',
    )
    expect(plain.status).toBe(415)
    const sent = await ask(
      playground,
      '/api/send',
      { ...session, 'content-type': 'application/json' },
      'POST',
      '{"text":"x"}',
    )
    expect(JSON.parse(sent.body)).toEqual({ message_id: 1 })
    const empty = await ask(
      playground,
      '/api/send',
      { ...session, 'content-type': 'application/json' },
      'POST',
      '{',
    )
    expect(empty.status).toBe(400)
  })

  test('leaves the page folder only for its own files', async () => {
    const { playground } = await start()
    const session = await signIn(playground)
    for (const path of ['/../server.ts', '/%2e%2e/server.ts', '/api/files/..%2f..%2fpackage.json']) {
      expect((await ask(playground, path, session)).status).toBe(404)
    }
  })
})

describe('both the page and the Bot API', () => {
  const paths = ['/', `/bot${token}/getMe`, '/style.css']

  test.each(paths)('%s refuses a foreign host', async (path) => {
    const { playground } = await start()
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil:80']) {
      expect((await ask(playground, path, { host })).status).toBe(403)
    }
  })

  test.each(paths)('%s refuses a foreign origin and cross-site requests', async (path) => {
    const { playground } = await start()
    expect((await ask(playground, path, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask(playground, path, { origin: 'null' })).status).toBe(403)
    expect(
      (await ask(playground, path, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status,
    ).toBe(403)
  })

  test('any loopback name and port will do, as through ssh -L', async () => {
    const { playground } = await start()
    for (const host of ['localhost:9999', '127.0.0.1', '[::1]:80']) {
      expect((await ask(playground, `/bot${token}/getMe`, { host, origin: `http://${host}` })).status).toBe(
        200,
      )
    }
  })
})

describe('the stream', () => {
  test('goes on after the last event that was seen', async () => {
    const { playground, api } = await start()
    const session = await signIn(playground)
    const { at } = JSON.parse((await ask(playground, '/api/state', session)).body)
    await api.sendMessage(visitor.id, 'missed')
    const stream = await fetch(`${playground.url}/api/events`, {
      headers: { ...session, 'last-event-id': at },
    })
    expect(await read(stream, 'missed')).toContain('"type":"message"')
  })

  test('says reset when it cannot', async () => {
    const { playground } = await start()
    const session = await signIn(playground)
    const stream = await fetch(`${playground.url}/api/events?after=other-3`, { headers: session })
    expect(await read(stream, 'reset')).toContain('event: reset')
  })
})

async function read(response: Response, until: string): Promise<string> {
  let seen = ''
  for await (const part of response.body ?? []) {
    seen += Buffer.from(part).toString()
    if (seen.includes(until)) break
  }
  return seen
}
