import type { z } from 'zod'
import { readModelSettings } from '../../core/config/model.ts'
import { adaptSchema } from '../../core/llm/adaptSchema.ts'
import { openClient } from '../../core/llm/callModel.ts'
import type { Model } from '../../core/llm/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { PlanDraft } from '../../core/planning/planDraft.ts'
import { SYSTEM_PROMPT } from '../../core/planning/writePrompt.ts'
import { testLog } from '../../tests/support/control.ts'
import { type ModelReply, type ModelServer, startModelServer } from '../../tests/support/modelServer.ts'
import { providerEnv } from '../../tests/support/providerEnv.ts'
import { exactly, scaled } from '../compare.ts'
import { percentile } from '../figures.ts'
import type { Stand } from '../stand.ts'

/** Questions to each side, in turn; the first tenth warms up. */
const CALLS = scaled(600)
/** The same for those that wait for a slow model. */
const SLOW_CALLS = scaled(40)
const AIM_MS = 2
const FIRST_WORD_MS = 100
const HEDGE_MS = 150

const plan = { cannot: null, summary: 'x'.repeat(400), milestones: [], tasks: [] }
const answer: ModelReply = { kind: 'answer', content: plan, parts: 12 }
const slow: ModelReply = { ...answer, first_ms: FIRST_WORD_MS, pace_ms: 5 } as ModelReply
const user = `Request: tidy the repository.\n${'src/a/rather/long/path/of/a/file.ts\n'.repeat(150)}`
const question = { purpose: 'bench', system: SYSTEM_PROMPT, user, schema: PlanDraft, schemaName: 'plan' }

type Side = { name: string; ask(onText: () => void): Promise<unknown> }

/** The same request by the provider's own package, without anything around it. */
async function direct(server: ModelServer): Promise<Side> {
  const client = await openClient({ apiKey: 'k', baseUrl: server.url })
  const schema = adaptSchema(PlanDraft satisfies z.ZodType)
  return {
    name: 'direct call',
    ask: async (onText) => {
      const stream = await client.chat.completions.create({
        ...{ model: 'gpt-5.6-luna', max_completion_tokens: 16_000, stream: true as const },
        stream_options: { include_usage: true },
        messages: [
          { role: 'system', content: SYSTEM_PROMPT },
          { role: 'user', content: user },
        ],
        response_format: { type: 'json_schema', json_schema: { name: 'plan', strict: true, schema } },
      })
      let text = ''
      for await (const chunk of stream) {
        const part = chunk.choices[0]?.delta.content ?? ''
        if (text === '' && part !== '') onText()
        text += part
      }
      return JSON.parse(text)
    },
  }
}

const side = (name: string, model: Model): Side => ({
  name,
  ask: (onText) => {
    let first = true
    return model.complete({
      ...question,
      onText: () => {
        if (first) onText()
        first = false
      },
    })
  },
})

type Times = { whole: number[]; first: number[] }

/** Everybody in turn, question by question. */
async function inTurn(sides: readonly Side[], calls: number): Promise<Map<string, Times>> {
  const times = new Map(sides.map(({ name }): [string, Times] => [name, { whole: [], first: [] }]))
  for (let n = 0; n < calls * 1.1; n++)
    for (const { name, ask } of sides) {
      const began = performance.now()
      let first = Number.NaN
      await ask(() => {
        first = performance.now() - began
      })
      const whole = performance.now() - began
      if (n < calls * 0.1) continue
      times.get(name)?.whole.push(whole)
      times.get(name)?.first.push(first)
    }
  return times
}

let opened = 0
const open = async (env: Record<string, string>, stand?: Stand): Promise<Model> => {
  const db = stand && (await stand.control(`router_${++opened}`)).deps.db
  const model = await openModel(readModelSettings(env), [], db ? { db, log: testLog } : {})
  if (!model) throw new Error('no model is set up')
  return model
}

const line = (name: string, values: readonly number[]): string =>
  `${name.padEnd(44)} p50 ${percentile(values, 50).toFixed(2).padStart(7)} ms  p99 ${percentile(values, 99).toFixed(2).padStart(7)} ms`

function against(times: Map<string, Times>, name: string, what: keyof Times, aim: number): string {
  const p50 = (who: string): number => percentile(times.get(who)?.[what] ?? [], 50)
  const extra = p50(name) - p50('direct call')
  return `${name}, ${what === 'whole' ? 'whole answer' : 'first word'}: ${extra.toFixed(2)} ms more  aim below ${aim} ms  ${extra < aim ? 'met' : 'MISSED'}`
}

/** What the router adds to a call of its own, and when the first word comes when a model is slow, silent or down. */
export async function modelRouterRow(stand: Stand): Promise<string[]> {
  const [server, other] = await Promise.all([
    startModelServer(),
    startModelServer([], { provider: 'claude' }),
  ])
  stand.atEnd(() => Promise.all([server.close(), other.close()]))
  const one = providerEnv('openai', server.url)
  const both = {
    ...one,
    ...providerEnv('claude', other.url),
    AI_HEDGE_AFTER: `${HEDGE_MS}ms`,
    AI_RUN_TOKENS: 'off',
  }
  server.always(answer)
  const limits = { AI_DAILY_TOKENS: '900000000000' }
  const recorded = await open({ ...one, ...limits }, stand)
  const sides = [
    await direct(server),
    side('router, no ledger', await open(one)),
    side(
      'router, recorded, no budget',
      await open({ ...one, AI_DAILY_TOKENS: 'off', AI_RUN_TOKENS: 'off' }, stand),
    ),
    side('router, recorded, under a budget', recorded),
  ]
  const quick = await inTurn(sides, CALLS)
  exactly('questions', server.requests.length, Math.ceil(CALLS * 1.1) * sides.length)
  other.always(slow)
  server.always(slow)
  const late = await inTurn([await direct(server), side('router', await open(both, stand))], SLOW_CALLS)
  server.always({ kind: 'error', status: 503 })
  const down = await inTurn([side('first model down', await open(both))], SLOW_CALLS)
  server.always({ kind: 'hang' })
  const silent = await firstQuestions(both)
  return [
    ...[...quick].map(([name, { whole }]) => line(name, whole)),
    ...sides.slice(1).map(({ name }) => against(quick, name, 'whole', AIM_MS)),
    `A model whose first word takes ${FIRST_WORD_MS} ms:`,
    ...[...late, ...down].map(([name, { first }]) => line(`  first word, ${name}`, first)),
    line(`  first word, first model silent, hedged at ${HEDGE_MS}`, silent),
    `  ${against(late, 'router', 'first', AIM_MS)}`,
  ]
}

/** A silent model rests after it was given up, so each question here is the first of its router. */
async function firstQuestions(env: Record<string, string>): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < SLOW_CALLS; n++) {
    const model = await open(env)
    const [first] = (await inTurn([side('silent', model)], 1)).get('silent')?.first.slice(0, 1) ?? []
    if (first !== undefined) times.push(first)
  }
  return times
}
