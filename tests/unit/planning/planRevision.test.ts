import { expect, test } from 'vitest'
import { planRevision } from '../../../core/planning/planRevision.ts'
import { PlanSpec } from '../../../core/protocol/specs.ts'
import { testLog } from '../../support/control.ts'
import { draft, draftStep, scriptedModel } from '../../support/scriptedModel.ts'
import { place } from './places.ts'

/* A plan that somebody changes in words, by what stands in the ledger. */

const elsewhere = '9a1d2b1e-0d8e-4c5b-9a51-2f6a0c9f1d99'
const here = place()
const planOn = (...agents: string[]) =>
  PlanSpec.parse({
    version: 2,
    summary: 'a test',
    milestones: [],
    tasks: agents.map((agent_id, i) => ({
      key: `${i + 1}`,
      title: `step ${i + 1}`,
      depends_on: [],
      spec: {
        action: 'shell',
        params: { command: `ls ${i}` },
        agent_id,
        machine_id: agent_id,
        cwd: here.cwd,
        required_files: [],
        timeout_s: 60,
        network: false,
      },
    })),
  })

async function revised(spec: PlanSpec, answers: object[] = [draft('Less', [draftStep('1', 'ls 0')])]) {
  const model = scriptedModel()
  for (const answer of answers) model.push(answer)
  const db = { query: async () => [{ spec, source: { kind: 'command' } }] } as never
  const made = await planRevision(
    { db, model, log: testLog, redact: (text) => text.replaceAll('s3cret', '«redacted»') },
    {
      run: { id: 'r', request: 'list', plan_version: 2 },
      wish: { text: 'less of it', by: 'p' },
      place: here,
      signal: new AbortController().signal,
      gather: async () => ({ context: [] }) as never,
      onText: () => {},
    },
  )
  return { made, asked: model.asked.length }
}

test('of one machine: the model changes it', async () => {
  const { made, asked } = await revised(planOn(here.agentId, here.agentId))
  expect(asked).toBe(1)
  expect(made.plan.tasks).toHaveLength(1)
  expect(made.source).toMatchObject({ change: '“less of it”' })
})

test('of two machines: no step moves, nobody is asked, and the new version says why', async () => {
  const old = planOn(here.agentId, elsewhere)
  const { made, asked } = await revised(old)
  expect(asked).toBe(0)
  expect(made.plan).toEqual({ ...old, version: 3 })
  expect(made.source).toMatchObject({
    change:
      'not changed: words change plans of one machine, and some of its steps are not on laptop: take the buttons',
  })
})

test('what a model could not do right: the new version says so in words, and keeps the exact fault apart', async () => {
  const wrong = draft('Less', [{ ...draftStep('1', 'ls'), depends_on: ['s3cret'] }])
  const { made, asked } = await revised(planOn(here.agentId, here.agentId), [wrong, wrong, wrong])
  expect(asked).toBe(2)
  expect(made.source).toMatchObject({
    change: expect.stringMatching(/^not changed: The model .* made a plan that cannot be carried out here/),
    fault: expect.stringContaining('«redacted»'),
  })
  expect(JSON.stringify(made.source)).not.toContain('s3cret')
})
