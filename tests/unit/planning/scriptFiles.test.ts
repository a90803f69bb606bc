import { expect, test } from 'vitest'
import { scriptFiles } from '../../../core/planning/scriptFiles.ts'

const of = (command: string) => scriptFiles({ action: 'shell', params: { command }, cwd: '/work' })

test.each([
  ['./build.sh --fast', ['/work/build.sh']],
  ['sh build.sh', ['/work/build.sh']],
  ['bash -eu -o pipefail build.sh x', ['/work/build.sh']],
  ['python3 -W error tools/gen.py', ['/work/tools/gen.py']],
  ['node --import ./hook.mjs app.js', ['/work/app.js']],
  ['. ./env.sh; echo x', ['/work/env.sh']],
  ['echo a && sh one.sh || (sh two.sh | tee log)', ['/work/one.sh', '/work/two.sh']],
  ['cd sub && ./x.sh', ['/work/x.sh', '/work/sub/x.sh']],
  ['env A=1 timeout 5 sh "my script.sh"', ['/work/my script.sh']],
  ['/opt/tool/run', ['/opt/tool/run']],
  ['make -f other.mk all', ['/work/GNUmakefile', '/work/makefile', '/work/Makefile', '/work/other.mk']],
  ['npm test', ['/work/package.json']],
  ['echo $(sh inner.sh)', ['/work/inner.sh']],
  ['if true; then sh a.sh; fi', ['/work/a.sh']],
])('%s runs %j', (command, files) => {
  expect(of(command)).toEqual(files)
})

test.each([
  'git status',
  'rm notes.txt',
  'cat build.sh',
  "sh -c 'echo x'",
  'node -e 1',
  'python3 -m http.server',
  'echo "',
  '',
])('%s runs no file that its text names', (command) => {
  expect(of(command)).toEqual([])
})

test('tests rest on the manifests of their tools; reading rests on nothing', () => {
  expect(scriptFiles({ action: 'run_tests', params: { tool: 'auto' }, cwd: '/work' })).toContain(
    '/work/package.json',
  )
  expect(scriptFiles({ action: 'file_read', params: { path: 'x' }, cwd: '/work' })).toEqual([])
})

test('never more than what a spec may name', () => {
  expect(of(Array.from({ length: 99 }, (_, i) => `sh ${i}.sh`).join('; '))).toHaveLength(16)
})
