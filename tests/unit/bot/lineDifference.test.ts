import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineDifference } from '../../../bot/render/lineDifference.ts'

test('only what differs, in order', () => {
  expect(lineDifference('a\nb\nc\nd', 'a\nx\nc\nd\ne')).toEqual(['-b', '+x', '+e'])
  expect(lineDifference('a', 'a')).toEqual([])
  expect(lineDifference('', 'a')).toEqual(['-', '+a'])
  expect(lineDifference('a\nb', 'b\na')).toHaveLength(2)
})

test('what goes and what stays make up the old text; what comes and what stays the new one', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, (old, fresh) => {
      const lines = lineDifference(old, fresh)
      const gone = lines.filter((line) => line.startsWith('-')).map((line) => line.slice(1))
      const come = lines.filter((line) => line.startsWith('+')).map((line) => line.slice(1))
      const left = (all: string[], some: string[]) => {
        const rest = [...all]
        for (const line of some) rest.splice(rest.indexOf(line), rest.includes(line) ? 1 : 0)
        return rest.sort()
      }
      expect(left(old.split('\n'), gone)).toEqual(left(fresh.split('\n'), come))
    }),
  )
})

test('long texts are compared in no time, as blocks', () => {
  const many = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word} ${i}`).join('\n')
  expect(lineDifference(many('a'), many('b'))).toHaveLength(10_000)
})
