import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { leftOut, Output, type OutputLimits } from '../../../agent/execute/output.ts'
import type { FrameBody } from '../../../agent/journal/journal.ts'
import { createRedactor } from '../../../core/redaction/redact.ts'

function collect(chunks: Buffer[], limits?: OutputLimits, redacting = createRedactor({ known: [] })) {
  const texts: string[] = []
  const output = new Output(
    (frames) => {
      for (const frame of frames) if (frame.type === 'log') texts.push(frame.text)
    },
    redacting,
    limits,
  )
  for (const chunk of chunks) output.write('stdout', chunk)
  output.end()
  return { text: texts.join(''), texts, output }
}

/** Cuts bytes at arbitrary places, also within characters. */
const cut = (bytes: Buffer, places: number[]): Buffer[] => {
  const at = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  )
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

describe('output', () => {
  test('is the same however it is cut', () => {
    const whole = Buffer.from(`grün\n€uro \u{1F600}\nend without newline`.repeat(20))
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (places) => {
        expect(collect(cut(whole, places)).text).toBe(whole.toString())
      }),
    )
  })

  test('never lets a secret through, however it is cut and wherever the limits are', () => {
    const token = `ghp_${'x9Y8'.repeat(9)}`
    const whole = Buffer.from(
      Array.from({ length: 40 }, (_, i) => `line ${i} token=${token} and ${token}\n`).join(''),
    )
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 2000 }),
        (places, head, tail) => {
          expect(collect(cut(whole, places), { head, tail }).text).not.toContain('x9Y8x9Y8')
        },
      ),
    )
  })

  test('cuts an endless line without tearing a secret', () => {
    const token = `ghp_${'x9Y8'.repeat(9)}`
    for (let pad = 64_400; pad < 64_640; pad += 7) {
      const { text } = collect([
        Buffer.from('a'.repeat(pad)),
        Buffer.from(` ${token} `),
        Buffer.from('b'.repeat(70_000)),
      ])
      expect(text).not.toContain('x9Y8')
      expect(text).toContain('[redacted: github token]')
    }
  })

  test('comes in frames of at most 16,384 characters that split at line ends', () => {
    const { texts } = collect([Buffer.from(`${'é'.repeat(99)}\n`.repeat(2000))])
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(16_384)
    expect(texts.every((text) => text.endsWith('\n'))).toBe(true)
  })

  test('holds no more than its limits', () => {
    const line = Buffer.from('0123456789\n')
    const { text, output } = collect(
      Array.from({ length: 100_000 }, () => line),
      { head: 1100, tail: 32_768 },
    )
    expect(text.length).toBeLessThan(1100 + 32_768 + 100)
    expect(output.bytes).toBe(1_100_000)
    const note = `[… ${(output.lost / 1e6).toFixed(1)} MB left out here (${output.lost} bytes) …]\n`
    expect(text).toContain(note)
    expect(text.length - note.length).toBe(output.bytes - output.lost)
  })

  test('the end of a line without end begins behind what could be the end of a secret', () => {
    const secret = `ghp_${'x9Y8'.repeat(9)}`
    const end = Buffer.concat([Buffer.from(secret), Buffer.from('é'.repeat(16_384 - secret.length / 2))])
    const { text, output } = collect(
      [Buffer.alloc(70_000, 'a'), Buffer.alloc(40_000, 'b'), end, Buffer.from('last')],
      {
        head: 1100,
        tail: 32_768,
      },
    )
    expect(text).not.toMatch(/x9Y8/)
    expect(text).not.toContain('\ufffd')
    expect(text.endsWith('élast')).toBe(true)
    expect(text).toContain(leftOut(output.lost))
  })

  test('lines printed one by one for long become few frames, and none is late by more than a second', async () => {
    vi.useFakeTimers()
    const frames: { text: string; at: number }[] = []
    const emit = (some: FrameBody[]) => {
      for (const frame of some)
        if (frame.type === 'log') frames.push({ text: frame.text, at: performance.now() })
    }
    const output = new Output(emit, createRedactor({ known: [] }))
    const began = performance.now()
    for (let n = 0; n < 40_000; n++) {
      output.write('stdout', Buffer.from(`${n}\n`))
      await vi.advanceTimersByTimeAsync(50)
    }
    output.end()
    vi.useRealTimers()
    expect(frames.length).toBeLessThan(2000 + (40_000 * 50) / 1000)
    for (const { text, at } of frames)
      expect(at - began - Number(text.split('\n')[0]) * 50).toBeLessThanOrEqual(1000)
    expect(frames.map(({ text }) => text).join('')).toBe(
      Array.from({ length: 40_000 }, (_, n) => `${n}\n`).join(''),
    )
  })
})
