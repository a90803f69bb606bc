import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { matchPlaybook } from '../../../core/planning/matchPlaybook.ts'
import { suggestPlaybooks } from '../../../core/planning/suggestPlaybooks.ts'
import { tidyRequest } from '../../../core/planning/tidyRequest.ts'
import { demo, place, places } from './places.ts'

const playbooks = await loadPlaybooks(null)
const suggest = (request: string, at = demo()) => suggestPlaybooks(playbooks, request, at)
const requests = (request: string) => suggest(request).map((s) => [s.playbook, s.request])
const names = (request: string, at = demo()) => suggest(request, at).map((s) => s.playbook)

const useful = ['repo-status', 'run-tests', 'machine-health']
const changing = [
  'add-note',
  'commit-work',
  'create-file',
  'demo-fix',
  'install-dependencies',
  'pull-latest',
  'push-work',
]

describe('suggestions', () => {
  test('are filled with what the person wrote', () => {
    expect(requests('find ten')).toEqual([
      ['find-file', 'find file ten'],
      ['find-text', 'find ten here'],
    ])
    expect(requests("where's basket.js")).toContainEqual(['find-file', 'find file basket.js'])
    expect(requests('open basket.js and explain')).toEqual([['show-file', 'show basket.js']])
    expect(requests('is the port 3000 busy with something')).toEqual([['port-use', 'is port 3000 free']])
    expect(requests('memo: call mum')).toContainEqual(['add-note', 'remember that call mum'])
  })

  test('ask for details that are not there, with an example', () => {
    const [first] = suggest('commit')
    expect(first).toMatchObject({ playbook: 'commit-work', request: null })
    expect(matchPlaybook(playbooks, first?.example ?? '', demo())?.playbook.name).toBe('commit-work')
    expect(requests('make file x.txt')).toContainEqual(['create-file', null])
    expect(requests('find')).toEqual([
      ['find-file', null],
      ['find-text', null],
    ])
  })

  test('are near: they share a root or a synonym, slips of the thumb aside', () => {
    expect(names('run teh test')).toEqual(['run-tests'])
    expect(names('comit my wrk')[0]).toBe('commit-work')
    expect(names('disk')).toEqual(['machine-health', 'large-files'])
    expect(names('list branchs')[0]).toBe('branches')
    expect(names('what is eating my memory')[0]).toBe('machine-health')
    expect(names('commit and push').slice(0, 2).sort()).toEqual(['commit-work', 'push-work'])
    expect(names('show log of nginx service')).toEqual(['services', 'log-tail'])
  })

  test.each([
    '',
    '🎉🎉🎉',
    'aaaaaaaaaaaaaaaaaaaa',
    'make me a sandwich',
    'make coffee',
    'translate the moon into soup',
    'qwertz',
    '<b>bold</b> & <script>alert(1)</script>',
    'lorem ipsum dolor sit amet '.repeat(2000),
  ])('are useful ones that only look when nothing is near: %s', (text) => {
    expect(names(text)).toEqual(useful)
  })

  test('work at the place, and name no demo playbook elsewhere', () => {
    expect(names('plan a fix', place())).not.toContain('demo-fix')
    const bare = place({ cwd: '/home/ana/work', repository: null })
    expect(names('qwertz', bare)).toEqual(['run-tests', 'machine-health', 'list-files'])
    expect(names('commit', bare)).not.toContain('commit-work')
  })

  test('are understood when sent, and of the examples only what has no details of its own', () => {
    const vocabulary = playbooks.flatMap((p) => p.examples.match.flatMap((text) => text.split(' ')))
    const text = fc
      .array(fc.oneof(fc.constantFrom(...vocabulary), fc.string({ maxLength: 6 })), { maxLength: 6 })
      .map((words) => words.join(' '))
    fc.assert(
      fc.property(text, fc.constantFrom(...Object.values(places)), (request, at) => {
        const found = suggest(request, at())
        expect(found.length).toBeLessThanOrEqual(3)
        for (const { playbook, request: sent, example } of found) {
          expect(example.length).toBeGreaterThan(0)
          if (sent === null) continue
          const match = matchPlaybook(playbooks, sent, at())
          expect(match?.playbook.name).toBe(playbook)
          for (const name of match?.given ?? [])
            expect(tidyRequest(request)).toContain(String(match?.values[name]))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('of what changes something are only those that are near', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        for (const name of names(text)) expect(changing).not.toContain(name)
      }),
      { numRuns: 200 },
    )
  })

  test('are quick', () => {
    const started = performance.now()
    for (const text of ['find '.repeat(5000), 'a.b/'.repeat(10_000), '" '.repeat(10_000)]) suggest(text)
    expect(performance.now() - started).toBeLessThan(600)
  })
})
