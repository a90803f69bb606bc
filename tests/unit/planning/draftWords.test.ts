import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { draftWords } from '../../../core/planning/draftWords.ts'
import { parsePartial } from '../../../core/planning/parsePartial.ts'

const answer = JSON.stringify({
  cannot: null,
  summary: 'Upgrade "React", to 19 {soon}',
  milestones: [],
  tasks: [
    {
      key: '1',
      title: 'Install',
      call: { action: 'shell', command: "npm i 'react@19' \\\n && echo \u00e9" },
    },
    { key: '2', title: 'Test', call: { action: 'run_tests', tool: 'auto' } },
    {
      key: '3',
      title: 'Note',
      call: { action: 'file_write', path: 'CHANGELOG.md', content: '{"a": [1, 2]}' },
    },
  ],
})

describe('an answer that is still being written', () => {
  test('is read wherever it stands, and only ever grows', () => {
    let last = ''
    for (let i = 0; i <= answer.length; i++) {
      const words = draftWords(answer.slice(0, i))
      expect(words.split('\n').length).toBeGreaterThanOrEqual(last.split('\n').length)
      last = words
    }
    expect(last).toBe(
      'Upgrade "React", to 19 {soon}\n1 Install: npm i \'react@19\' \\ && echo é\n2 Test\n3 Note: CHANGELOG.md',
    )
  })

  test('is read at every place of any JSON whatever, and ends as what it is', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), fc.nat(), (value, at) => {
        const text = JSON.stringify(value)
        expect(() => parsePartial(text.slice(0, at % (text.length + 1)))).not.toThrow()
        expect(parsePartial(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('says nothing for what is no draft, however odd', () => {
    for (const odd of [
      '',
      'Sure!',
      '[]',
      '{"tasks": 3',
      '{"tasks": [null, 1, "x"',
      '{"summary": {',
      '}}}{{{',
    ])
      expect(draftWords(odd)).toBe('')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (any) => typeof draftWords(any) === 'string'))
  })

  test('stays short, however much comes', () => {
    const tasks = Array.from({ length: 500 }, (_, i) => ({
      title: 'x'.repeat(300),
      call: { command: `y${i}`.repeat(500) },
    }))
    const words = draftWords(JSON.stringify({ summary: 's'.repeat(9999), tasks }))
    expect(words.length).toBeLessThanOrEqual(1000)
    expect(words).toMatch(/492 more$/)
  })
})

test('fits the wire of the bus, however it must be escaped', () => {
  for (const odd of ['\ud800', '"', '\\', '漢', '\u2028', '🙂']) {
    const tasks = Array.from({ length: 9 }, () => ({
      title: odd.repeat(300),
      call: { command: odd.repeat(500) },
    }))
    const text = draftWords(JSON.stringify({ summary: odd.repeat(300), tasks }))
    expect(
      Buffer.byteLength(JSON.stringify({ topic: 'plan.draft', message: { runId: 'x'.repeat(36), text } })),
    ).toBeLessThan(7000)
  }
})
