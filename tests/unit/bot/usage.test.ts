import { crc32, inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { daysOf } from '../../../bot/features/usage.ts'
import { plain } from '../../../bot/render/html.ts'
import { Picture } from '../../../bot/render/png.ts'
import { drawUsage, roundUp, short } from '../../../bot/render/usageChart.ts'
import { usageText } from '../../../bot/render/usageText.ts'
import type { DayUse, Totals, Usage } from '../../../core/llm/readUsage.ts'

/** Reads a PNG of 8-bit palette points back, checking its sums. */
function decode(png: Buffer) {
  expect(png.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a')
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const body = png.subarray(at + 4, at + 8 + length)
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body))
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4))
    at += 12 + length
  }
  const [head, palette, data] = ['IHDR', 'PLTE', 'IDAT'].map((type) => chunks.get(type) ?? Buffer.alloc(0))
  const [width = 0, height = 0] = [head?.readUInt32BE(0), head?.readUInt32BE(4)]
  const rows = inflateSync(data ?? Buffer.alloc(0))
  expect(rows).toHaveLength((width + 1) * height)
  const at = (x: number, y: number): string => {
    const index = rows[y * (width + 1) + 1 + x] ?? 0
    return `#${palette?.toString('hex', index * 3, index * 3 + 3)}`
  }
  return { width, height, at, end: [...chunks.keys()].at(-1) }
}

describe('a picture', () => {
  test('is a PNG with these points', () => {
    const picture = new Picture(5, 4, ['#ffffff', '#102030'])
    picture.fill(1, 1, 2, 2, '#102030')
    picture.fill(4, 3, 90, 90, '#102030')
    const { width, height, at, end } = decode(picture.encode())
    expect([width, height, end]).toEqual([5, 4, 'IEND'])
    const dark = [...Array(20).keys()].filter((i) => at(i % 5, Math.floor(i / 5)) === '#102030')
    expect(dark).toEqual([6, 7, 11, 12, 19])
  })

  test('takes no colour that it does not have', () => {
    expect(() => new Picture(1, 1, ['#ffffff']).fill(0, 0, 1, 1, '#000000')).toThrow(/palette/)
  })
})

describe('the chart of usage', () => {
  const days: DayUse[] = [
    { day: '2026-11-20', providers: {}, usd: 0 },
    { day: '2026-11-21', providers: { gemini: 600, openai: 400 }, usd: 0.01 },
  ]

  test('stacks the providers of a day, as high as they are', () => {
    const { at, width } = decode(drawUsage({ days }))
    const column = (x: number) => Array.from({ length: 487 - 119 }, (_, i) => at(x, 119 + i))
    const second = column(Math.round(width * 0.78))
    const count = (colour: string) => second.filter((point) => point === colour).length
    expect(count('#1f6feb') / count('#2b8a3e')).toBeCloseTo(1.5, 1)
    expect(count('#1f6feb') + count('#2b8a3e')).toBeGreaterThan(360)
    expect(column(Math.round(width * 0.33)).every((point) => ['#ffffff', '#d8dee9'].includes(point))).toBe(
      true,
    )
  })

  test('its letters can be read on a phone, which shows it 360 points wide', () => {
    const { at, width } = decode(drawUsage({ days }))
    const rows = Array.from({ length: 50 }, (_, y) => y)
    const written = rows.filter((y) => Array.from({ length: width }, (_, x) => at(x, y)).includes('#3b4252'))
    expect((written.length * 360) / width).toBeGreaterThanOrEqual(12)
  })

  test('the names of all providers are in the picture', () => {
    const names = ['gemini', 'groq', 'openrouter', 'deepseek', 'openai', 'claude', 'ollama']
    const day = {
      day: '2026-11-21',
      providers: Object.fromEntries(names.map((name) => [name, 1000])),
      usd: 0,
    }
    const { at, height } = decode(drawUsage({ days: [day] }))
    const edge = Array.from({ length: height }, (_, y) => [at(0, y), at(719, y)]).flat()
    expect([...new Set(edge)]).toEqual(['#ffffff'])
  })

  test('shows the least use there is, and draws no days at all', () => {
    const tiny = { day: '2026-11-21', providers: { groq: 1, openai: 1e9 }, usd: 0 }
    const { at, height, width } = decode(drawUsage({ days: [tiny] }))
    const points = Array.from({ length: height }, (_, y) => at(Math.round(width / 2), y))
    expect(points).toContain('#e8590c')
    expect(decode(drawUsage({ days: [] })).width).toBe(720)
  })

  test.each([
    [0, '0'],
    [999, '999'],
    [1234, '1.2K'],
    [35_400, '35K'],
    [2_500_000, '2.5M'],
    [12_000_000, '12M'],
    [1e9, '1.0G'],
  ])('%d is %s', (tokens, said) => expect(short(tokens)).toBe(said))

  test.each([
    [0, 1],
    [1, 1],
    [3, 5],
    [11, 20],
    [501, 1000],
    [1e6, 1e6],
  ])('%d fits below %d', (value, top) => expect(roundUp(value)).toBe(top))
})

describe('the text of usage', () => {
  const totals = (over: Partial<Totals> = {}): Totals => ({
    ...{
      calls: 0,
      answered: 0,
      remembered: 0,
      tokensIn: 0,
      tokensOut: 0,
      tokensCached: 0,
      usd: 0,
      unpriced: 0,
    },
    ...over,
  })
  const usage: Usage = {
    today: totals({ calls: 2, answered: 2, tokensIn: 900, tokensOut: 100, usd: 0.004 }),
    period: totals({
      calls: 9,
      answered: 7,
      remembered: 1,
      tokensIn: 40_000,
      tokensOut: 2000,
      tokensCached: 3000,
      usd: 0.31,
      unpriced: 500,
    }),
    counted: { tokens: 1000, usd: 0.004 },
    models: [
      {
        ...totals({ calls: 9, answered: 7, tokensIn: 1, usd: 0.31 }),
        provider: 'gemini',
        model: 'gemini-3.8-flash',
        firstMs: 820,
        ends: { answer: 1, rate: 1 },
      },
    ],
    days: [],
    purposes: [['plan', 42_000]],
  }
  const budgets = { dailyTokens: 3_000_000, dailyUsd: 2, runTokens: null, runUsd: null }

  test('says calls, tokens, money, budgets, models and purposes', () => {
    expect(plain(usageText(usage, 14, budgets)).split('\n')).toEqual([
      'Language models',
      'Today: 2 calls · 1.0K tokens · $0.004',
      '14 days: 9 calls · 42K tokens · $0.310 and 500 tokens of unknown price',
      'Budget today: 1.0K of 3.0M tokens',
      'Budget today: $0.00 of $2.00',
      '',
      'gemini-3.8-flash: 9 · 1 · $0.310 · first word 0.8 s · 2 not answered (1 no usable answer, 1 too many requests)',
      '',
      'For planning 42K',
      '3.0K tokens were kept by the provider · 1 answered from memory',
    ])
  })

  test('fits below an image, whatever the models are called', () => {
    const models = Array.from({ length: 40 }, (_, i) => ({
      ...{
        ...totals({ calls: 1e6, tokensIn: 1e9, unpriced: 1e9, usd: 1e5 }),
        provider: 'openrouter',
        firstMs: 1e5,
        ends: { rate: 1e6 },
      },
      model: `${'<very&long>'.repeat(18)}${i}`.slice(0, 200),
    }))
    expect(plain(usageText({ ...usage, models }, 90, budgets)).length).toBeLessThanOrEqual(1024)
  })

  test.each([
    ['', 14],
    ['30d', 30],
    ['7', 7],
    ['0', 1],
    ['999', 90],
    ['week', 14],
  ])('%j means %d days', (text, days) => expect(daysOf(text)).toBe(days))
})
