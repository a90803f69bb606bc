import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verdictOf } from './corpus.ts'
import { trickyText } from './shellText.ts'

const runs = Number(process.env.SECURITY_SHELL_RUNS ?? 60)
const dir = mkdtempSync(join(tmpdir(), 'skynet-shells-'))
const work = join(dir, 'work')

beforeAll(() => {
  mkdirSync(join(dir, 'bin'))
  mkdirSync(work)
  for (const name of ['ls', 'cat', 'sh', 'touch']) {
    const text = name === 'sh' ? 'exec /bin/sh "$@"' : name === 'touch' ? ': > "$1"' : ':'
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(dir, 'bin', name), 0o755)
  }
})
afterAll(() => rmSync(dir, { recursive: true }))

const texts = fc
  .sample(trickyText, { numRuns: runs * 12, seed: 4 })
  .filter((command) => /touch|>/.test(command) && !command.includes('\0'))

/** What a text left behind in its directory: files it wrote, or that `touch` made. */
function leftBy(shell: readonly [string, ...string[]], command: string): string[] {
  const [file, ...args] = shell
  spawnSync(file, [...args, '-c', command], {
    cwd: work,
    env: { PATH: join(dir, 'bin'), HOME: '/home/me' },
    stdio: 'ignore',
    timeout: 10_000,
  })
  const left = readdirSync(work)
  for (const name of left) rmSync(join(work, name), { recursive: true, force: true })
  return left
}

describe('what the judge allows writes nothing in a real shell', () => {
  const allowed = texts.filter((command) => verdictOf(command) === 'allow').slice(0, runs)

  it('and the texts are such that it could', () => {
    expect(allowed.length).toBeGreaterThan(runs / 2)
    expect(leftBy(['/bin/sh'], 'echo "$(touch x)"')).toEqual(['x'])
  })

  it.each([[['/bin/sh']], [['bash', '--posix']], [['bash']]] as const)(
    '%j',
    (shell) => {
      expect(allowed.filter((command) => leftBy(shell as unknown as [string], command).length > 0)).toEqual(
        [],
      )
    },
    120_000,
  )
})
