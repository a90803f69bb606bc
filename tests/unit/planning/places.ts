import type { PlaceFacts } from '../../../core/planning/planRequest.ts'
import { actionNames, type TestTool } from '../../../core/protocol/actions.ts'

const repository = (path: string, test_tools: TestTool[], scripts: string[]) => ({
  name: path.split('/').at(-1) ?? path,
  path,
  test_tools,
  scripts,
})

export function place(over: Partial<PlaceFacts> = {}): PlaceFacts {
  const here = repository('/home/ana/work/api', ['npm'], ['test', 'lint', 'typecheck', 'build'])
  return {
    agentId: '7c1d2b1e-0d8e-4c5b-9a51-2f6a0c9f1d11',
    agentName: 'laptop',
    machineId: 'machine-1',
    platform: 'linux x64',
    home: '/home/ana',
    roots: ['/home/ana/work'],
    cwd: here.path,
    repository: here,
    repositories: [here],
    capabilities: [...actionNames],
    ...over,
  }
}

const at = (path: string, tools: TestTool[], scripts: string[] = [], over: Partial<PlaceFacts> = {}) => {
  const repo = repository(path, tools, scripts)
  return place({ cwd: path, repository: repo, repositories: [repo], ...over })
}

export const demo = () => at('/home/ana/work/demo', ['npm'], ['test', 'job'])

/** The demo after its tests have shown their fault. */
export const failingDemo = () => ({
  ...demo(),
  lastTests: { failed: true, said: '1000 !== 900\n# pass 5\n# fail 1\n' },
})

/** The kinds of places that plans have to be good for. */
export const places: Record<string, () => PlaceFacts> = {
  'an npm repository': () => place(),
  'the demo': demo,
  'the demo after its tests failed': failingDemo,
  'a Python repository': () => at('/home/ana/work/ml', ['pytest', 'make']),
  'a Rust repository on a Mac': () =>
    at('/Users/ana/work/engine', ['cargo'], [], {
      home: '/Users/ana',
      roots: ['/Users/ana/work'],
      platform: 'darwin arm64',
    }),
  'a Go repository': () => at('/srv/code/gate', ['go'], [], { roots: ['/srv/code'], home: '/root' }),
  'a C repository': () => at('/home/ana/work/kernel', ['make']),
  'a repository without tests': () => at('/home/ana/work/site', []),
  'a directory that is no repository': () => place({ cwd: '/home/ana/work', repository: null }),
}
