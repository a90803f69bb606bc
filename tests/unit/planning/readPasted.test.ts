import { describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { planRequest } from '../../../core/planning/planRequest.ts'
import { readPasted } from '../../../core/planning/readPasted.ts'
import { demo } from './places.ts'

const playbooks = await loadPlaybooks(null)
const log = `> api@1.0.0 start
> node server.js

node:internal/modules/cjs/loader:1051
Error: Cannot find module 'express'
Require stack:
- /home/ana/api/server.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1048:15)
npm ERR! code ELIFECYCLE`

describe('a pasted log', () => {
  test('gives the lines that tell of errors, their kind, and what was asked about it', () => {
    expect(readPasted(`what is wrong?\n${log}`)).toEqual({
      asked: 'what is wrong?',
      errors: ["Error: Cannot find module 'express'", 'npm ERR! code ELIFECYCLE'],
      kind: 'missing_packages',
    })
    expect(readPasted(log)?.asked).toBe('')
    expect(readPasted(`${log}\nWhy does this happen`)?.asked).toBe('Why does this happen')
  })

  test.each([
    ['what is wrong?'],
    ['fix the error in the login'],
    ['fix the error in the login\nand add a test for it'],
    ['deploy this\nthen tell me'],
    ['0 errors, 3 warnings\nall 12 tests passed'],
    [''],
  ])('is not in %j', (text) => expect(readPasted(text)).toBeNull())

  test('of megabytes takes no time, and no more than five lines are told', () => {
    const pasted = readPasted(
      `what is wrong?\n${Array.from({ length: 20_000 }, (_, i) => `error ${i}: no`).join('\n')}`,
    )
    expect(pasted?.errors).toHaveLength(5)
  })

  test('without a model offers what removes the cause, else what is near to the own words, never to the log', async () => {
    const plan = async (request: string) => {
      const outcome = await planRequest({ playbooks, model: null }, { request, place: demo(), version: 1 })
      if (outcome.kind !== 'unmatched') throw new Error(outcome.kind)
      return outcome
    }
    const modules = await plan(`what is wrong?\n${log}`)
    expect(modules.nearest.map(({ request }) => request)).toEqual(['install the dependencies'])
    expect(modules.pasted?.kind).toBe('missing_packages')
    const port = await plan('help\nError: listen EADDRINUSE: address already in use :::3000')
    expect(port.nearest.map(({ request }) => request)).toEqual(['who uses port 3000'])
    const other = await plan('what is wrong?\nfatal: commit push deploy failed: remote rejected (branch)')
    expect(other.nearest.map(({ playbook }) => playbook)).toEqual([
      'repo-status',
      'run-tests',
      'machine-health',
    ])
  })
})
