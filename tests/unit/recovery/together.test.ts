import { expect, test } from 'vitest'
import { PlanSpec } from '../../../core/protocol/specs.ts'
import { together } from '../../../core/recovery/storeVersion.ts'

/* Which files a version of a plan is kept with. */

const [here, there] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
const file = (agent_id: string, path: string, size: number) => ({
  ...{ agent_id, path, size, sha256: `${size}`.repeat(64), whole: false },
})
const plan = (...rests: [string, string[]][]) =>
  PlanSpec.parse({
    version: 2,
    summary: 'a test',
    milestones: [],
    tasks: rests.map(([agent_id, paths], i) => ({
      key: `${i + 1}`,
      title: 'a step',
      depends_on: [],
      spec: {
        action: 'shell',
        params: { command: 'bash x.sh' },
        agent_id,
        machine_id: agent_id,
        cwd: '/work',
        required_files: [],
        timeout_s: 60,
        network: false,
        rests_on: paths.map((path) => ({ path, sha256: 'f'.repeat(64) })),
      },
    })),
  })

test('the same path on two machines is two files', () => {
  const [a, b] = [file(here, '/work/x.sh', 1), file(there, '/work/x.sh', 2)]
  expect(together(plan([here, ['/work/x.sh']], [there, ['/work/x.sh']]), [a], [b])).toEqual([a, b])
})

test('each as it was looked at last, and only those on which the plan still rests', () => {
  const old = [file(here, '/work/x.sh', 1), file(here, '/work/gone.sh', 3), file(there, '/work/y.sh', 4)]
  const fresh = file(here, '/work/x.sh', 5)
  expect(together(plan([here, ['/work/x.sh', '/work/y.sh']]), old, [fresh])).toEqual([fresh])
})
