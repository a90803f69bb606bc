import { execFile, spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeDemo } from '../../../cli/demo/makeDemo.ts'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { planRequest } from '../../../core/planning/planRequest.ts'
import { failingDemo } from './places.ts'

const run = promisify(execFile)
let base: string
let workspace: string
let state: string
const make = () => makeDemo(workspace, state)
const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
const env = () => ({ PATH: process.env.PATH ?? '', HOME: base, GIT_CONFIG_NOSYSTEM: '1' })

/** What `sh -c` gives in the demo, as an agent would run it. */
const sh = (command: string) =>
  run('sh', ['-c', command], { cwd: join(workspace, 'demo'), env: env() }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
  )

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'demo-'))
  workspace = join(base, 'workspace')
  state = join(base, 'state')
  vi.stubEnv('HOME', base)
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  vi.stubEnv('GIT_AUTHOR_NAME', undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(base, { recursive: true, force: true })
})

async function fixPlan() {
  const outcome = await planRequest(
    { playbooks: await loadPlaybooks(null), model: null },
    { request: 'Plan a fix', place: failingDemo(), version: 1 },
  )
  if (outcome.kind !== 'planned') throw new Error('no plan')
  return outcome.plan
}

describe('the demo', () => {
  test('is a clean git repository with one commit, for somebody without a git name', async () => {
    expect(await make()).toBe(join(workspace, 'demo'))
    expect((await sh('git log --oneline | wc -l')).stdout.trim()).toBe('1')
    expect((await sh('git status --porcelain')).stdout).toBe('')
    expect((await sh('git branch --show-current')).stdout.trim()).toBe('main')
    expect((await readdir(join(workspace, 'demo'))).sort()).toEqual([
      '.git',
      '.gitignore',
      'notes.txt',
      'package.json',
      'scripts',
      'src',
      'test',
    ])
    expect(await readdir(workspace)).toEqual(['demo'])
    expect((await sh('echo x >> notes.txt && git commit -qam more')).code).toBe(0)
  })

  test('has one test that fails, and the fix of the playbook mends it', async () => {
    await make()
    const before = await sh('npm test')
    expect(before.code).toBe(1)
    expect(before.stdout).toMatch(/fail 1\b/)
    expect(before.stdout).toMatch(/pass 5\b/)
    expect(before.stdout.slice(-4000)).toContain('1000 !== 900')
    const { tasks } = await fixPlan()
    expect(tasks.map((t) => [t.spec.action, t.depends_on])).toEqual([
      ['shell', []],
      ['file_patch', ['1']],
      ['run_tests', ['2']],
      ['git_diff', ['3']],
    ])
    expect(await sh(String(tasks[0]?.spec.params.command))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ten pieces/),
    })
    await writeFile(join(base, 'fix.patch'), String(tasks[1]?.spec.params.patch))
    expect(await sh('git apply --check ../../fix.patch && git apply ../../fix.patch')).toMatchObject({
      code: 0,
    })
    expect(await sh('npm test')).toMatchObject({ code: 0, stdout: expect.stringMatching(/fail 0\b/) })
    expect((await sh('git diff --stat')).stdout).toContain('src/basket.js')
  })

  test('is not made again once it was deleted', async () => {
    await make()
    await rm(join(workspace, 'demo'), { recursive: true })
    expect(await make()).toBeNull()
    expect(await there(join(workspace, 'demo'))).toBe(false)
  })

  test('changes nothing when it is there', async () => {
    await make()
    await writeFile(join(workspace, 'demo', 'notes.txt'), 'mine')
    expect(await make()).toBeNull()
    expect(await readFile(join(workspace, 'demo', 'notes.txt'), 'utf8')).toBe('mine')
  })

  test('leaves a directory of the person alone that has its name', async () => {
    await mkdir(join(workspace, 'demo'), { recursive: true })
    expect(await make()).toBeNull()
    expect(await readdir(join(workspace, 'demo'))).toEqual([])
  })

  test('is whole after a crash in the middle', async () => {
    await mkdir(join(workspace, '.skynet-demo-abc', 'src'), { recursive: true })
    expect(await make()).toBe(join(workspace, 'demo'))
    expect(await readdir(workspace)).toEqual(['demo'])
  })

  test('is made once by two that start together', async () => {
    const made = await Promise.all([make(), make()])
    expect(made.filter((m) => m !== null)).toHaveLength(1)
    expect(await sh('npm test')).toMatchObject({ code: 1 })
    expect(await readdir(workspace)).toEqual(['demo'])
  })

  test('has its files without git too', async () => {
    vi.stubEnv('PATH', join(base, 'nothing'))
    await make()
    vi.unstubAllEnvs()
    expect(await there(join(workspace, 'demo', 'src', 'basket.js'))).toBe(true)
    expect(await there(join(workspace, 'demo', '.git'))).toBe(false)
  })

  test('is not disturbed by settings, hooks and a repository around', async () => {
    await writeFile(
      join(base, '.gitconfig'),
      '[commit]\n gpgsign = true\n[core]\n hooksPath = /nowhere\n autocrlf = true\n[user]\n name = Ana\n email = ana@example.org\n',
    )
    await mkdir(workspace, { recursive: true })
    await run('git', ['init', '-q', base])
    vi.stubEnv('GIT_DIR', join(base, '.git'))
    expect(await make()).toBe(join(workspace, 'demo'))
    expect((await sh('git log -n 1 --format=%an; git config --local user.name || echo none')).stdout).toBe(
      'SKYNET\nnone\n',
    )
  })

  test('has a job that prints a line each second', async () => {
    await make()
    const job = spawn('node', ['scripts/job.mjs'], { cwd: join(workspace, 'demo'), env: env() })
    const lines: string[] = []
    job.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(text))
    await expect.poll(() => lines.join('')).toMatch(/^1 of 30 s\n2 of 30 s\n/)
    job.kill()
  })
})
