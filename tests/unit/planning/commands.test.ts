import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { planRequest } from '../../../core/planning/planRequest.ts'
import { demo } from './places.ts'

const playbooks = await loadPlaybooks(null)
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'commands-'))
  await mkdir(join(dir, 'src'))
  await writeFile(join(dir, 'src/basket.js'), '// TODO\n')
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function planned(request: string) {
  const outcome = await planRequest({ playbooks, model: null }, { request, place: demo(), version: 1 })
  if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome))
  return outcome.plan
}

type Ended = { code: number; out: string; err: string }
/** The commands of a request's plan, run one after the other in a directory with one file. */
async function ran(request: string): Promise<Ended[]> {
  const { tasks } = await planned(request)
  const one = (command: string) =>
    new Promise<Ended>((done) => {
      execFile('sh', ['-c', command], { cwd: dir }, (error, out, err) =>
        done({ code: error ? Number(error.code) : 0, out, err }),
      )
    })
  return Promise.all(tasks.map((task) => one(String(task.spec.params.command))))
}

describe('a search', () => {
  test('shows what it finds', async () => {
    expect(await ran('find TODO in src')).toEqual([{ code: 0, out: 'src/basket.js:1:// TODO\n', err: '' }])
    expect(await ran('find TODO in this repo')).toMatchObject([
      { code: 0, out: expect.stringContaining('src/basket.js:1') },
    ])
    expect(await ran('find the file basket')).toMatchObject([{ code: 0, out: './src/basket.js\n' }])
  })

  test('says so when nothing is found', async () => {
    const nothing = [{ code: 0, out: 'Nothing found.\n', err: '' }]
    expect(await ran('find FIXME in src')).toEqual(nothing)
    expect(await ran('find the file nonesuch')).toEqual(nothing)
    expect(await ran('show the logs')).toMatchObject([
      { code: 0, out: 'No log file was written to lately.\n' },
    ])
  })

  test.each([
    'find TODO in nonesuch',
    'find the file basket in nonesuch',
    'show the biggest files in nonesuch',
  ])('fails when it cannot be done: %s', async (request) => {
    const looked = (await ran(request)).filter(({ out }) => !/Avail/.test(out))
    expect(looked.map(({ code }) => code)).toEqual(looked.map(() => 2))
    for (const { err } of looked) expect(err).toContain('nonesuch')
  })
})

describe('what uses the disk', () => {
  test('shows free space, the largest folders of the place, and its large files', async () => {
    const plan = await planned("what's using my disk?")
    expect(plan.summary).toBe('Free disk space, and what is large in demo')
    expect(plan.tasks.map((t) => t.title)).toEqual([
      'Free space of the disks',
      'Largest folders of demo',
      'Files over 20 MB',
    ])
    const [disks, folders, files] = await ran("what's using my disk?")
    expect(disks?.out).toMatch(/Avail|Use%/)
    expect(folders?.out).toMatch(/\.\/src\n/)
    expect(files?.out).toBe('None so large.\n')
  })

  test('names the folder that was asked about', async () => {
    const plan = await planned('show the biggest folders in src')
    expect(plan.summary).toBe('Free disk space, and what is large in src')
    expect(plan.tasks[1]?.title).toBe('Largest folders of src')
  })
})
