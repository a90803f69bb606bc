import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutText, shareRoom } from '../../../core/planning/fitBlocks.ts'
import { judgeTask } from '../../../core/planning/judgePlan.ts'
import { lookTasks } from '../../../core/planning/lookTasks.ts'
import { tidyFiles } from '../../../core/planning/tidyFiles.ts'
import { MAX_PROMPT, MAX_REPAIR, writePrompt, writeRepair } from '../../../core/planning/writePrompt.ts'
import { loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { PlanSpec } from '../../../core/protocol/specs.ts'
import { place, places } from './places.ts'

const policy = await loadPolicy(null)

describe('the room of a prompt', () => {
  const blocks = fc.array(
    fc.record({ text: fc.string({ maxLength: 400 }), share: fc.double({ min: 0, max: 9, noNaN: true }) }),
    { maxLength: 12 },
  )

  test('is never exceeded, whatever wants in, and none is wasted while somebody wants more', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 0, max: 2000 }), (all, room) => {
        const given = shareRoom(all, room)
        const sum = given.reduce((a, b) => a + b, 0)
        expect(sum).toBeLessThanOrEqual(room)
        const wanted = all.reduce((n, { text }) => n + text.length, 0)
        if (wanted <= room) expect(sum).toBe(wanted)
        else expect(sum).toBeGreaterThanOrEqual(room - all.length - 1)
      }),
    )
  })

  test('goes by shares where all want more', () => {
    const long = 'x'.repeat(1000)
    expect(
      shareRoom(
        [
          { text: long, share: 3 },
          { text: long, share: 1 },
        ],
        400,
      ),
    ).toEqual([300, 100])
    expect(
      shareRoom(
        [
          { text: 'abc', share: 3 },
          { text: long, share: 1 },
        ],
        400,
      ),
    ).toEqual([3, 397])
  })

  test('cuts a text to its beginning and its end, and says how much is gone', () => {
    const text = `${'a'.repeat(5000)}${'z'.repeat(5000)}`
    const cut = cutText(text, 1000)
    expect(cut.length).toBeLessThanOrEqual(1000)
    expect(cut).toMatch(/^a+\n\[… 9048 characters left out …\]\nz+$/)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), fc.nat(300), (any, room) => {
        const kept = cutText(any, room)
        expect(kept.length).toBeLessThanOrEqual(Math.max(room, 0))
        expect(kept.isWellFormed() || !any.isWellFormed()).toBe(true)
      }),
    )
  })

  test('holds for a question with megabytes on every side, and each part keeps its share', () => {
    const huge = 'lorem ipsum '.repeat(200_000)
    const repository = {
      name: 'api',
      path: '/home/ana/work/api',
      test_tools: [],
      scripts: Array(50).fill('s'.repeat(100)),
    }
    const at = place({
      repository,
      repositories: Array(500).fill(repository),
      roots: Array(500).fill('/home/ana/work'),
    })
    const context = [...Array.from({ length: 60 }, (_, i) => ({ origin: `file ${i}`, text: huge }))]
    const prompt = writePrompt({
      request: huge,
      place: at,
      context: [{ origin: 'log of #1', text: huge, share: 6 }, ...context],
    })
    expect(prompt.length).toBeLessThan(MAX_PROMPT)
    const part = (name: string) => prompt.split(`name="${name}">`)[1]?.split('</data-')[0]?.length ?? 0
    expect(part('request')).toBeGreaterThan(7000)
    expect(part('place')).toBeGreaterThan(1000)
    expect(part('log of #1')).toBeGreaterThan(5 * part('file 0'))
    expect(part('file 0')).toBeGreaterThan(500)
    expect(writeRepair(prompt, huge, huge).length).toBeLessThan(MAX_PROMPT + MAX_REPAIR)
  })

  test('is not used up where little is to be said', () => {
    expect(writePrompt({ request: 'run the tests', place: place() }).length).toBeLessThan(1500)
  })
})

describe('a look at a place', () => {
  test.each(Object.entries(places))('only reads, without the network, and asks nobody: %s', (_, at) => {
    const plan = PlanSpec.parse(lookTasks(at()))
    for (const { spec } of plan.tasks) {
      const machine = {
        roots: at().roots,
        home: at().home,
        platform: at().platform,
        containment: 'group' as const,
      }
      for (const facts of [machine, { ...machine, confined: { view: true } as never }]) {
        const { verdict, effect } = judgeTask(spec, facts, policy, [])
        expect([spec.params, verdict.verdict, effect, verdict.network]).toEqual([
          spec.params,
          'allow',
          'read',
          false,
        ])
      }
    }
  })

  test('leaves out what the agent cannot do', () => {
    expect(lookTasks(place({ capabilities: ['noop'] }))).toBeNull()
    expect(lookTasks(place({ capabilities: ['file_list'] }))?.tasks.map(({ key }) => key)).toEqual(['files'])
    expect(lookTasks(place({ platform: 'win32 x64' }))?.tasks.map(({ key }) => key)).toEqual([
      'files',
      'state',
    ])
  })

  test('tells of files what a plan needs: not the inside of node_modules, and of a thousand the first', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `data/${i}.csv`)
    const told = tidyFiles(
      ['node_modules/', 'node_modules/left-pad/', 'src/', 'src/main.ts', ...many].join('\n'),
    )
    expect(told.split('\n').slice(0, 4)).toEqual(['node_modules/', 'src/', 'src/main.ts', 'data/0.csv'])
    expect(told).toMatch(/data: 960 more$/)
    expect(told.length).toBeLessThan(700)
  })
})
