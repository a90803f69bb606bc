import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { isStopWord, understand } from '../../../core/talk/understand.ts'
import { requests, sentences } from './sentences.ts'

/** What was understood, in one word: `stop`, `ask eta`, `thanks`, `help`, `request`. */
function meaning(text: string): string {
  const said = understand(text)
  switch (said.kind) {
    case 'steer':
      return said.what
    case 'question':
      return `ask ${said.about}`
    case 'small':
      return said.what
    case 'help':
      return 'help'
    default:
      return said.kind
  }
}

describe('words to the bot', () => {
  test.each(Object.entries(sentences))('%s', (expected, texts) => {
    expect(texts.filter((text) => meaning(text) !== expected).map((t) => `${t} => ${meaning(t)}`)).toEqual([])
  })

  test('there are enough of them', () => {
    const all = Object.values(sentences).flat()
    expect(new Set(all).size).toBe(all.length)
    expect(all.length).toBeGreaterThan(400)
    expect(requests.length).toBeGreaterThan(150)
  })

  test('politeness, capitals and full stops change nothing', () => {
    const around = [
      (t: string) => `Please ${t}!`,
      (t: string) => `${t}, thanks.`,
      (t: string) => t.toUpperCase(),
    ]
    for (const [expected, texts] of Object.entries(sentences)) {
      if (!['stop', 'pause', 'resume', 'retry'].includes(expected)) continue
      for (const text of texts.filter((t) => /^[a-z ]+$/i.test(t)))
        for (const wrap of around) expect(meaning(wrap(text)), wrap(text)).toBe(expected)
    }
  })
})

describe('requests are never taken for words to the bot', () => {
  test.each(requests)('%s', (text) => {
    expect(meaning(text)).toBe('request')
  })

  test('what the built-in playbooks understand stays a request', async () => {
    const examples = (await loadPlaybooks(null)).flatMap((p) => p.examples.match)
    expect(examples.length).toBeGreaterThan(60)
    expect(examples.filter((text) => meaning(text) !== 'request')).toEqual([])
  })

  test('a stop word with anything unknown beside it stops nothing', () => {
    const word = fc.constantFrom('stop', 'cancel', 'pause', 'abort', 'kill', 'halt', 'para', 'stoppe')
    const thing = fc.constantFrom(
      ...'nginx,the web server,docker,my music,the database on laptop,port 3000,pid 4711,all containers,npm,the cron job of backup,wifi,the vm'.split(
        ',',
      ),
    )
    fc.assert(
      fc.property(word, thing, (w, t) => {
        expect(isStopWord(`${w} ${t}`)).toBe(false)
        expect(isStopWord(`please ${w} ${t} now`)).toBe(false)
      }),
    )
  })

  test('code, paths and several sentences are requests, whatever words they hold', () => {
    for (const text of [
      'stop | cat',
      'echo stop',
      'stop && ls',
      '/stop',
      'stop > log',
      '`stop`',
      'pause /dev/null',
    ])
      expect(meaning(text), text).toBe('request')
  })
})

describe('which run is meant', () => {
  const targetOf = (text: string) => {
    const said = understand(text)
    return 'target' in said ? said.target : null
  }
  test.each([
    ['stop #12', { number: 12 }],
    ['cancel run 7', { number: 7 }],
    ['stop number 3 please', { number: 3 }],
    ['how far is #12?', { number: 12 }],
    ['how far is run 12', { number: 12 }],
    ['retry step 3 of #12', { number: 12, step: '3' }],
    ['retry 12.3', { number: 12, step: '3' }],
    ['retry step 2', { step: '2' }],
    ['stop everything', { all: true }],
    ['cancel all my runs', { all: true }],
    ['stop everything on laptop', { all: true, place: ['laptop'] }],
    ['pause the one in api', { place: ['api'] }],
    ['stop the run in api on laptop', { place: ['api', 'laptop'] }],
    ['how far is it on web-1?', { place: ['web-1'] }],
    ['what failed on build.local', { place: ['build.local'] }],
    ['brich alles ab', { all: true }],
    ['arrête tout', { all: true }],
    ['was macht Lauf 4', null],
    ['stop it', {}],
  ])('%s', (text, expected) => {
    const none = { number: null, step: null, place: [], all: false }
    expect(targetOf(text)).toEqual(expected && { ...none, ...expected })
  })

  test('a code is read with the word before it', () => {
    expect(understand('approve K7')).toMatchObject({ kind: 'steer', what: 'approve', code: 'K7' })
    expect(understand('please deny b12')).toMatchObject({ kind: 'steer', what: 'deny', code: 'B12' })
  })
})

test('it takes far less than a millisecond, whatever is written', () => {
  const texts = [...requests, ...Object.values(sentences).flat()]
  const begun = performance.now()
  for (const text of texts) understand(text)
  expect((performance.now() - begun) / texts.length).toBeLessThan(5)
  const odd = fc.array(
    fc.constantFrom('please', 'stop', 'the', 'of', 'run', 'in', 'what', 'is', 'it', '12', '#', '?'),
    {
      maxLength: 40,
    },
  )
  fc.assert(
    fc.property(odd, fc.string(), (words, noise) => {
      const at = performance.now()
      understand(`${words.join(' ')}${noise}`)
      expect(performance.now() - at).toBeLessThan(500)
    }),
    { numRuns: 300 },
  )
})
