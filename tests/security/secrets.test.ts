import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import winston from 'winston'
import { redactHtml } from '../../bot/delivery/redactOutgoing.ts'
import { createLogger } from '../../core/config/logger.ts'
import { readModelSettings } from '../../core/config/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { createRedactor } from '../../core/redaction/redact.ts'
import { redactError } from '../../core/redaction/redactError.ts'
import { type ModelServer, startModelServer } from '../support/modelServer.ts'
import { type Planted, plantSecrets } from '../support/plantedSecrets.ts'
import { type System, startSystem } from '../support/system.ts'

/* Secrets planted wherever text enters; afterwards nothing that is kept or sent may hold one of them. */

let server: ModelServer
let system: System
let planted: Planted[]
/** The same for commands on the machine, whose agent has secrets of its own. */
let printed: Planted[]
const API_KEY = 'sk-test-0a1B2c3D4e5F6g7H8i9J'

beforeAll(async () => {
  server = await startModelServer()
  const model = await openModel(readModelSettings({ OPENAI_API_KEY: API_KEY, OPENAI_BASE_URL: server.url }))
  system = await startSystem({ model })
  const { secrets } = system.control
  printed = plantSecrets(1000, 78, [system.machine().credential])
  planted = plantSecrets(1000, 77, [secrets.apiToken, secrets.gatewayToken, secrets.gatewayApiToken])
})
afterAll(async () => {
  await system.stop()
  await server.close()
})

/** Every row of every table as text, those of the queue too. */
async function ledger(): Promise<string> {
  const tables = await system.db.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  )
  const texts: string[] = []
  for (const { name } of tables) {
    const rows = await system.db.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)
    texts.push(...rows.map(({ text }) => text))
  }
  return texts.join('\n')
}

/** All files below a directory but what commands work on. */
const filesIn = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(?:^|\/)work\//.test(name) && statSync(join(dir, name)).isFile())
    .map((name) => readFileSync(join(dir, name), 'latin1'))
    .join('\n')

/** What PostgreSQL shows with its own escapes is looked for as it was written. */
const leaks = (where: string, text: string): string[] => {
  const plain = text.replaceAll('\\\\', '\\').replaceAll('""', '"').replaceAll('\\"', '"')
  return [...printed, ...planted]
    .filter(({ forbidden }) => text.includes(forbidden) || plain.includes(forbidden))
    .map((one) => `${where}: ${one.name}: ${one.text}`)
}

describe('1,000 planted secrets', () => {
  test('printed by commands, in pieces, are in no table, file or message', async () => {
    writeFileSync(system.path('planted.txt'), printed.map(({ text }) => text).join('\n'))
    writeFileSync(
      system.path('print.mjs'),
      `import { readFileSync, writeSync } from 'node:fs'
       const all = readFileSync('planted.txt')
       for (let at = 0, n = 1; at < all.length; at += n, n = (n * 7 + 13) % 97 + 1) writeSync(at < all.length / 2 ? 1 : 2, all.subarray(at, at + n))
       process.exit(1)`,
    )
    system.say('/run cat planted.txt')
    await system.message(/#1 succeeded/)
    system.say('/run node print.mjs')
    await system.message(/node print\.mjs/)
    await system.tap(/Approve/)
    await system.message(/#2 failed/)
    expect(leaks('ledger', await ledger())).toEqual([])
    expect(leaks('chat', JSON.stringify(system.messages()))).toEqual([])
    expect(leaks('files', filesIn(system.dir))).toEqual([])
  })

  test('written by people and programs are in no table, message or answer', async () => {
    const some = planted.filter((_, i) => i % 25 === 0)
    const answers: string[] = []
    for (const { text } of some) {
      system.say(`/policy echo ${text}`)
      const asked = await fetch(`${system.apiUrl}/v1/execute`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${system.control.secrets.apiToken}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          action: 'shell',
          params: { command: `echo ${text}` },
          agent_id: system.machine().agentId,
        }),
      })
      answers.push(await asked.text())
    }
    const last = system.say('/run echo done')
    expect(last).toBeGreaterThan(0)
    await system.message(/succeeded[\s\S]*echo done|echo done[\s\S]*succeeded/)
    expect(answers.filter((answer) => answer.includes('SECRET_IN_TASK')).length).toBe(some.length)
    expect(leaks('ledger', await ledger())).toEqual([])
    expect(leaks('answers', answers.join('\n'))).toEqual([])
    const said = system.messages().filter((m) => m.from.is_bot)
    expect(leaks('chat', JSON.stringify(said))).toEqual([])
  })

  test('in what failed are not told to the model', async () => {
    server.push({ kind: 'answer', content: { cannot: 'No.', summary: '', milestones: [], tasks: [] } })
    const { text } = planted[0] as Planted
    system.say(
      `fix the failure of print.mjs, whose password=${(planted[1] as Planted).forbidden} and ${text}`,
    )
    await system.message(/No\./)
    const asked = JSON.stringify(server.requests.map(({ body }) => body))
    expect(asked).toContain('What failed last')
    expect(leaks('model', asked)).toEqual([])
    expect(asked).not.toContain(API_KEY)
  })

  test('in an error of a job are not kept by the queue', async () => {
    await system.stopWorkers()
    const failing = planted.filter((_, i) => i % 40 === 0)
    let failed = 0
    const worker = system.control.queue.makeWorker(
      'planning',
      async (job) => {
        throw new Error(`could not reach ${failing[job.data.n]?.text}`)
      },
      { concurrency: 5 },
    )
    worker.on('failed', () => failed++)
    for (let n = 0; n < failing.length; n++) await system.control.queue.queues.planning.add('run.plan', { n })
    for (let i = 0; i < 300 && failed < failing.length; i++) await sleep(20)
    expect(failed).toBe(failing.length)
    await worker.close()
    const kept = await ledger()
    expect(kept).toContain('could not reach')
    expect(leaks('queue', kept)).toEqual([])
    system.startWorkers()
  })
})

describe('each outlet by itself', () => {
  test('a log line holds none, in its message, its fields or a stack', () => {
    const lines: string[] = []
    const { secrets } = system.control
    const known = [secrets.apiToken, secrets.gatewayToken, secrets.gatewayApiToken]
    const log = createLogger('test', 'debug', known) as winston.Logger
    const stream = new Writable({
      write: (line, _, done) => {
        lines.push(String(line))
        done()
      },
    })
    log.clear().add(new winston.transports.Stream({ stream }))
    for (const { text } of planted) {
      log.info(`said ${text}`)
      log.info('with a field', { said: text })
      log.debug(String(new Error(`failed with ${text}`).stack))
    }
    expect(lines.length).toBeGreaterThanOrEqual(3000)
    expect(leaks('log', lines.join(''))).toEqual([])
  })

  test('an error and its causes hold none', () => {
    const { text, forbidden } = planted[0] as Planted
    const error = redactError(
      new Error(`a ${text}`, { cause: new Error(`b ${text}`) }),
      createRedactor({ known: [] }).redact,
    ) as Error
    expect(
      [error.message, error.stack, (error.cause as Error).message, (error.cause as Error).stack].join('\n'),
    ).not.toContain(forbidden)
    expect(error).toBeInstanceOf(Error)
  })

  test('a message to Telegram keeps its tags and loses its secrets, also one that tags are put into', () => {
    const { pieces } = createRedactor({ known: [] })
    const token = `ghp_${'a1B2'.repeat(9)}`
    expect(redactHtml(pieces, `<b>key</b> <code>${token}</code> &lt;ok&gt;`)).toBe(
      '<b>key</b> <code>[redacted: github token]</code> &lt;ok&gt;',
    )
    expect(redactHtml(pieces, `${token.slice(0, 10)}<i>${token.slice(10)}</i>`)).not.toContain(
      token.slice(10),
    )
    expect(redactHtml(pieces, '<pre>a &amp;&amp; b</pre>')).toBe('<pre>a &amp;&amp; b</pre>')
  })
})
