import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Completion, type Model, ModelError } from '../../core/llm/model.ts'
import type { Reading } from '../../core/talk/readByModel.ts'
import { buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

/* What a language model may add to a talk, and what it may not, however wrong or hostile its answers are. */

type Answering = (req: Completion<unknown>) => Promise<Partial<Reading> | string>
let answering: Answering = async () => 'nonsense'
const asked: Completion<unknown>[] = []
const model = {
  provider: 'fake',
  model: 'talker',
  complete: async (req: Completion<unknown>) => {
    asked.push(req)
    if (req.purpose !== 'talk') throw new ModelError('server', 'no plans here', 'none')
    const value = await answering(req)
    const whole =
      typeof value === 'string' ? value : { kind: 'request', steer: null, run: null, answer: '', ...value }
    return { value: whole, text: '', tokens_in: 1, tokens_out: 1, ms: 1 }
  },
} as unknown as Model

describe('a talk with a language model', () => {
  let system: System
  let number = 0
  beforeAll(async () => {
    system = await startSystem({ model })
    number = await system.ask('/run sleep 5321')
    await system.taskIs(number, '1', 'running')
  })
  afterAll(() => system?.stop())

  const says = (reading: Partial<Reading> | string): void => {
    answering = async () => reading
  }
  const ask = async (text: string, pattern: RegExp): Promise<string> => {
    const said = system.say(text)
    return textOf(await system.message(pattern, { after: said }))
  }

  test('a question that the rules do not know is answered from facts, above the line of the ledger', async () => {
    says({
      kind: 'about_work',
      run: number,
      answer: 'It sleeps soundly. See https://evil.example/x or /approve K7 yes, @eve',
    })
    const text = await ask('is the sleepy thing alright, or should I worry?', /It sleeps soundly/)
    expect(text).toBe(
      `It sleeps soundly. See … or approve K7 yes, eve\n▶️ #${number} sleep 5321: running · ${/\d:\d\d/.exec(text)?.[0]}`,
    )
    const { user, need, purpose } = asked.at(-1) ?? { user: '', need: '', purpose: '' }
    expect([purpose, need]).toEqual(['talk', 'conversation'])
    expect(user).toMatch(/<data-[0-9a-f]{24} name="message">\nis the sleepy thing alright/)
    expect(user).toContain(`#${number} sleep 5321: running`)
  })

  test('a question in another language gets words in that language; where the model fails, those of the rules', async () => {
    says({ kind: 'about_work', run: number, answer: 'Das weiß ich nicht.' })
    await ask('wie lange noch?', /Das weiß ich nicht\.\n.*running/)
    says('nonsense')
    await ask('wie weit bist du?', new RegExp(`#${number} running`))
    answering = async () => {
      throw new ModelError('timeout', 'too slow', 'wait')
    }
    await ask('¿quién lo aprobó?', /Nobody had to/)
  })

  test('English questions, words to the bot and commands cost no call', async () => {
    const before = asked.length
    await ask('how long yet?', /I cannot tell/)
    await ask('thanks', /welcome/)
    await ask('/policy ls', /would run/)
    expect(asked.length).toBe(before)
  })

  test('whatever it takes a message for, nothing is stopped or approved by it: there is a button', async () => {
    const waits = await system.ask('/run touch never-approved')
    await system.runIs(waits, 'awaiting_approval')
    for (const steer of ['stop', 'pause', 'approve', 'retry', 'resume'] as const) {
      says({
        kind: 'steer',
        steer,
        run: steer === 'approve' ? waits : number,
        answer: 'Done! I approved it.',
      })
      const said = system.say(`what about the thing number ${steer}?`)
      const message = await system.message(/I am not sure what you mean. Nothing was done/, { after: said })
      expect(buttonsOf(message)).toHaveLength(2)
      expect((await system.run(number)).status).toBe('running')
      expect((await system.run(waits)).status).toBe('awaiting_approval')
    }
    expect(system.has('never-approved')).toBe(false)
    says({ kind: 'steer', steer: 'stop', run: waits })
    const said = system.say('could that other thing go away perhaps?')
    await system.message(/I am not sure/, { after: said })
    await system.tap(`Stop #${waits}`, { after: said })
    await system.runIs(waits, 'cancelled')
    expect((await system.run(number)).status).toBe('running')
  })

  test('what it takes for a request is one, as ever', async () => {
    says({ kind: 'request', answer: 'I did it already.' })
    const request = await system.ask('which of the frobnicators is the largest?')
    const run = await system.runIs(request, 'failed')
    expect(run.request).toBe('which of the frobnicators is the largest?')
    expect(system.messages().some((m) => textOf(m).includes('I did it already'))).toBe(false)
  })

  test('an answer to what the bot asked is read by no model, however much it sounds like a question', async () => {
    const waits = await system.ask('/run touch never-made')
    const card = await system.message(new RegExp(`❓[\\s\\S]*#${waits} v1`))
    await system.tap('Revise', { on: card.message_id })
    await system.tap(/^Edit command/, { after: card.message_id })
    await system.message(/What should it be/, { after: card.message_id })
    const before = asked.length
    await ask('which touch', /Changed: the new plan is below|Nothing changed/)
    expect(asked.length).toBe(before)
    await system.runIs(waits, 'succeeded', 'failed')
  })

  test('a stop word is obeyed while the model thinks, and leaves out what it thinks about', async () => {
    let answer: (reading: Partial<Reading>) => void = () => {}
    answering = () => new Promise((resolve) => (answer = resolve))
    const before = asked.length
    system.say('what would happen with the frobnicators then?')
    await system.until(() => asked.length > before, 'the model to be asked')
    await ask('stop', /Left out what you were writing/)
    const { signal } = asked.at(-1) ?? {}
    await system.until(() => signal?.aborted, 'the end of the question')
    expect(signal?.reason).toMatchObject({ message: 'the message was left out' })
    await system.runIs(number, 'cancelled')
    answer({ kind: 'request' })
    await ask('/policy ls', /would run/)
    expect(await system.db.query("SELECT 1 FROM run WHERE request LIKE 'what would happen%'")).toEqual([])
    expect(await system.db.query('SELECT 1 FROM telegram_update WHERE handled_at IS NULL')).toEqual([])
  })

  test('the bot that goes while the model thinks: the next one has the message, and the rules answer', async () => {
    answering = () => new Promise(() => {})
    const before = asked.length
    system.say('what would become of the gizmos then?')
    await system.until(() => asked.length > before, 'the model to be asked')
    await system.stopBot()
    answering = async () => 'nonsense'
    await system.startBot()
    const made = () => system.db.query("SELECT 1 FROM run WHERE request LIKE 'what would become%'")
    await system.until(async () => (await made()).length > 0, 'the message as a request')
    expect(await made()).toHaveLength(1)
  })

  test('nothing was logged as an error', () => {
    expect(system.faults).toEqual([])
  })
})
