import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestTool, testTools } from '../../core/protocol/actions.ts'
import { findProgram } from '../sandbox/environment.ts'
import { plainText } from '../sandbox/plainFile.ts'
import { type Action, ActionFault } from './run.ts'
import { runCommand } from './runCommand.ts'

/** What is larger is nobody's manifest. */
export const MAX_MANIFEST = 512 * 1024

const read = (file: string): string => plainText(file, MAX_MANIFEST) ?? ''

const manifests: Record<TestTool, (dir: string) => boolean> = {
  npm: (dir) => /"test"\s*:/.test(read(join(dir, 'package.json'))),
  pytest: (dir) =>
    ['pytest.ini', 'pyproject.toml', 'setup.cfg', 'tox.ini', 'conftest.py', 'setup.py'].some((name) =>
      existsSync(join(dir, name)),
    ),
  cargo: (dir) => existsSync(join(dir, 'Cargo.toml')),
  go: (dir) => existsSync(join(dir, 'go.mod')),
  make: (dir) => /^test\s*:/m.test(read(join(dir, 'Makefile')) || read(join(dir, 'makefile'))),
}

const commands: Record<TestTool, (args: string[]) => [string, ...string[]]> = {
  npm: (args) => ['npm', 'test', ...(args.length > 0 ? ['--', ...args] : [])],
  pytest: (args) => ['python3', '-m', 'pytest', ...args],
  cargo: (args) => ['cargo', 'test', ...args],
  go: (args) => ['go', 'test', ...(args.length > 0 ? args : ['./...'])],
  make: (args) => ['make', 'test', ...args],
}

/** Test tools whose manifest is in a directory, in order of preference. */
export const testToolsIn = (dir: string): TestTool[] => testTools.filter((tool) => manifests[tool](dir))

export const runTests: Action<'run_tests'> = async (run, { tool, args = [] }) => {
  const chosen = tool === 'auto' ? testToolsIn(run.cwd)[0] : tool
  if (!chosen)
    throw new ActionFault(
      `no tests found in ${run.cwd}: it has none of package.json with a test script, a pytest setup, Cargo.toml, go.mod, Makefile with a test target`,
    )
  const [file, ...rest] = commands[chosen](args)
  if (!findProgram(file, (run.env.PATH ?? '').split(delimiter)))
    throw new ActionFault(`${file} is not on this machine's PATH`)
  return runCommand(run, file, rest)
}
