import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { endWords, purposeWords } from '../../../core/llm/callWords.ts'
import { modelFaults } from '../../../core/llm/model.ts'

const named = globSync('core/{llm,memory,planning,recovery,skills,talk}/*.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/purpose: '([a-z_]+)'|await ask\('([a-z_]+)'/g)].map(
    (m) => m[1] ?? m[2] ?? '',
  ),
)

test('every purpose of the code has words of its own', () => {
  const all = [...new Set(named)]
  expect(all).toEqual(expect.arrayContaining(['plan', 'repair', 'recover', 'choose_skills', 'talk', 'embed']))
  for (const purpose of all) expect(purposeWords(purpose)).not.toBe(purpose.replaceAll('_', ' '))
})

test.each([...modelFaults])('%s is said in words', (fault) => expect(endWords(fault)).not.toBe(fault))
