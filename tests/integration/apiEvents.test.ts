import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tellEvents } from '../../core/events/tellEvent.ts'
import { newApiToken, revokeApiToken } from '../../core/people/apiTokens.ts'
import { openDatabase } from '../../core/storage/openDatabase.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import { testLog } from '../support/control.ts'
import { listen, type ServerEvent } from '../support/eventSource.ts'
import { addMachine, startRun } from '../support/fleet.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api.close())

const newest = async (): Promise<string> => (await api.get('/v1/events?after=newest')).body.next_cursor

/** Writers side by side, each with transactions of its own length, so that numbers become visible out of order. */
async function write(writers: number, each: number, text = ''): Promise<void> {
  const db = openDatabase({ url: api.database.url, poolSize: writers, log: testLog })
  const writer = async (name: number): Promise<void> => {
    for (let n = 0; n < each; n++) {
      await db.tx(async (tx) => {
        await tellEvents(tx, [{ type: 'lockdown', subject: {}, data: { name, n, text } }])
        await tx.query('SELECT pg_sleep($1)', [((name * 7 + n) % 5) / 500])
      })
      api.deps.bus.publish('agents', {})
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
  await db.close()
}

const labels = (writers: number, each: number): string[] =>
  Array.from({ length: writers * each }, (_, i) => `${Math.floor(i / each)}.${i % each}`).sort()
const labelOf = (data: unknown): string => {
  const { name, n } = (data as { data: { name: number; n: number } }).data
  return `${name}.${n}`
}

describe('GET /v1/events', () => {
  test('filters by type, and its cursor goes on beyond what was left out', async () => {
    const machine = await addMachine(api.deps)
    const from = await newest()
    for (let n = 0; n < 3; n++) await startRun(api.deps, machine, [{ key: 'a' }])
    const { body } = await api.get(`/v1/events?after=${from}&types=run.created,plan.made&limit=4`)
    expect(body.events.map(({ type }: { type: string }) => type)).toEqual([
      'run.created',
      'plan.made',
      'run.created',
      'plan.made',
    ])
    expect(body.more).toBe(true)
    const rest = await api.get(`/v1/events?after=${body.next_cursor}&types=run.created,plan.made&limit=4`)
    expect(rest.body.events).toHaveLength(2)
    expect([rest.body.more, rest.body.next_cursor]).toEqual([false, await newest()])
    const none = await api.get(`/v1/events?after=${from}&types=run.denied`)
    expect(none.body).toEqual({ events: [], next_cursor: await newest(), more: false })
  })

  test('looks at so many for a page, and says that there is more', async () => {
    const from = await newest()
    await api.db.query(
      "INSERT INTO event (type, data) SELECT CASE WHEN n = 7000 THEN 'lockdown' ELSE 'attempt.progress' END, '{}' FROM generate_series(1, 7001) n",
    )
    const first = await api.get(`/v1/events?after=${from}&types=lockdown`)
    expect(first.body).toMatchObject({ events: [], more: true })
    const second = await api.get(`/v1/events?after=${first.body.next_cursor}&types=lockdown`)
    expect([second.body.events.length, second.body.more, second.body.next_cursor]).toEqual([
      1,
      false,
      await newest(),
    ])
  })

  test('says which cursors and types there are not', async () => {
    for (const query of [
      'after=x',
      'after=1',
      'after=99999999999999999999.1',
      'after=1.9999999999999999999',
      'types=nothing',
      'types=',
      'limit=201',
    ])
      expect((await api.get(`/v1/events?${query}`)).body.error?.code, query).toBe('INVALID')
  })
})

describe('GET /v1/events/stream', () => {
  test('misses and repeats nothing with 20 writers, however often the connection breaks', async () => {
    const from = await newest()
    const writing = write(20, 25)
    const seen: ServerEvent[] = []
    let connections = 0
    let last = from
    while (seen.length < 500 && connections < 200) {
      connections += 1
      let left = 5 + ((connections * 13) % 40)
      const { over } = listen(`${api.url}/v1/events/stream?types=lockdown&after=${from}`, {
        token: api.tokens.read,
        lastEventId: last,
        onEvent: (event, heard) => {
          seen.push(event)
          last = event.id
          left -= 1
          if (left === 0 || seen.length === 500) heard.cut()
        },
      })
      await over
    }
    await writing
    expect(connections).toBeGreaterThan(10)
    expect(seen.map(({ data }) => labelOf(data)).sort()).toEqual(labels(20, 25))
    const { body } = await api.get(`/v1/events?after=${last}&types=lockdown`)
    expect(body.events).toEqual([])
  })

  test('gives the same as GET /v1/events, in the same order', async () => {
    const from = await newest()
    await write(5, 10)
    const pages = await api.get(`/v1/events?after=${from}&limit=200`)
    const { over } = listen(`${api.url}/v1/events/stream?after=${from}`, {
      token: api.tokens.read,
      onEvent: (_, heard) => {
        if (heard.events.length === pages.body.events.length) heard.cut()
      },
    })
    const { events } = await over
    expect(events.map(({ data }) => data)).toEqual(pages.body.events)
    expect(events.every(({ id, data }) => id === data.cursor)).toBe(true)
  })

  test('holds little for a reader that takes nothing, who then gets all of it', async () => {
    const from = await newest()
    const text = 'x'.repeat(20_000)
    await write(10, 200, text)
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    socket.pause()
    socket.write(
      `GET /v1/events/stream?types=lockdown&after=${from} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${api.tokens.read}\r\n\r\n`,
    )
    await expect.poll(heldBytes).toBeGreaterThan(0)
    // By the time another reader has all 40 MB, a stream that did not wait for its own would hold them.
    const url = `${api.url}/v1/events/stream?types=lockdown&after=${from}`
    await listen(url, {
      token: api.tokens.read,
      onEvent: (_, heard) => heard.events.length === 2000 && heard.cut(),
    }).over
    expect(heldBytes()).toBeLessThan(16_000_000)
    let received = ''
    socket.setEncoding('utf8')
    const all = new Promise<void>((resolve) => {
      let count = 0
      socket.on('data', (chunk: string) => {
        received += chunk.replaceAll(/x{100,}/g, '')
        count = received.split('"type":"lockdown"').length - 1
        if (count >= 2000) resolve()
      })
    })
    socket.resume()
    await all
    socket.destroy()
    expect(received.split('"type":"lockdown"').length - 1).toBe(2000)
  })

  /** Bytes that sockets of this process hold for their readers. */
  function heldBytes(): number {
    const handles = (
      process as unknown as { _getActiveHandles(): { writableLength?: number }[] }
    )._getActiveHandles()
    return handles.reduce((sum, handle) => sum + (handle.writableLength ?? 0), 0)
  }

  test('ends when its token is revoked', async () => {
    const token = await newApiToken(api.db, 'short-lived', ['read'])
    const { heard, over } = listen(`${api.url}/v1/events/stream?after=newest`, { token })
    await expect.poll(() => heard.status).toBe(200)
    await revokeApiToken(api.db, 'short-lived')
    expect((await over).ended).toBe(true)
  }, 15_000)

  test('ends at once when the server stops', async () => {
    const stopping = await openTestApi()
    const { heard, over } = listen(`${stopping.url}/v1/events/stream`, { token: stopping.tokens.read })
    await expect.poll(() => heard.status).toBe(200)
    const begun = performance.now()
    await stopping.close()
    await over
    expect(performance.now() - begun).toBeLessThan(5000)
  })

  test('is refused without the scope, and with a cursor that is none', async () => {
    expect((await api.get('/v1/events/stream', { token: api.tokens.agent })).status).toBe(403)
    expect((await api.get('/v1/events/stream', { headers: { 'last-event-id': 'x' } })).status).toBe(400)
  })
})

describe('GET /v1/runs/{id}/stream', () => {
  test('tells what happens to the run, ends with it, and is 204 from there', async () => {
    const machine = await addMachine(api.deps)
    const run = await startRun(api.deps, machine, [{ key: 'a', command: 'touch x' }])
    await startRun(api.deps, machine, [{ key: 'a' }])
    let cancelling: Promise<unknown> = Promise.resolve()
    const { over } = listen(`${api.url}/v1/runs/${run.number}/stream`, {
      token: api.tokens.read,
      onEvent: ({ data }) => {
        if (data.type === 'run.awaiting_approval') cancelling = api.post(`/v1/runs/${run.id}/cancel`)
      },
    })
    const { events, ended } = await over
    await cancelling
    expect(ended).toBe(true)
    expect(events.at(0)?.data.type).toBe('run.created')
    expect(events.at(-2)?.data.type).toBe('run.cancelled')
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { status: 'cancelled' } })
    expect(events.slice(0, -1).every(({ data }) => data.run_id === run.id)).toBe(true)
    const last = events.at(-1)?.id ?? ''
    const again = await api.get(`/v1/runs/${run.id}/stream`, { headers: { 'last-event-id': last } })
    expect(again.status).toBe(204)
    const rest = await listen(`${api.url}/v1/runs/${run.id}/stream`, {
      token: api.tokens.read,
      lastEventId: events.at(-3)?.id ?? '',
    }).over
    expect(rest.events.map(({ data }) => data.type)).toEqual(['run.cancelled', undefined])
  })

  test('knows no other runs', async () => {
    expect((await api.get('/v1/runs/999999/stream')).status).toBe(404)
  })
})
