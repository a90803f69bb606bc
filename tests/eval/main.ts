import { parseArgs } from 'node:util'
import { loadEnv } from '../../cli/loadEnv.ts'
import { readModelSettings } from '../../core/config/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { loadPlaybooks } from '../../core/planning/loadPlaybooks.ts'
import { loadPolicy } from '../../core/policy/loadPolicy.ts'
import { cases } from './cases.ts'
import { evalWay, summary, type Way } from './runEval.ts'
import { scriptedModel } from './scriptedModel.ts'

/*
 * npm run eval                         playbooks alone, a planner of rules, and the provider that is set up, if one is
 * npm run eval -- --only react         the cases whose request holds this word
 * npm run eval -- --verbose            what each case missed
 */

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, verbose: { type: 'boolean', default: false } },
})
const policy = await loadPolicy(null)
const playbooks = await loadPlaybooks(null)
const real = await openModel(readModelSettings(loadEnv(process.env)))
const ways: Way[] = [
  { name: 'playbooks alone', playbooks, model: null },
  {
    name: 'playbooks, then the planner of rules (measures the way there and back, not planning)',
    playbooks,
    model: scriptedModel(),
  },
  ...(real
    ? [
        { name: `playbooks, then ${real.provider} ${real.model}`, playbooks, model: real },
        { name: `${real.provider} ${real.model} for everything`, playbooks: [], model: real },
      ]
    : []),
]

const chosen = cases.filter(({ request }) => request.includes(values.only))
console.log(`${chosen.length} requests`)
let forbidden = 0
for (const way of ways) {
  const results = await evalWay(way, policy, chosen)
  forbidden += results.reduce((sum, one) => sum + one.forbidden.length, 0)
  console.log(`\n${summary(way.name, results).join('\n')}`)
  if (!values.verbose) continue
  for (const { one, missed, outcome } of results)
    if (missed.length > 0)
      console.log(
        `  - ${one.request} [${one.on}]: ${outcome.kind === 'failed' ? outcome.reason : outcome.kind}; missed ${missed.join('; ')}`,
      )
}
if (!real)
  console.log('\nNo provider is set up: set a key such as GOOGLE_AI_API_KEY to see how a model plans.')
process.exitCode = forbidden > 0 ? 1 : 0
