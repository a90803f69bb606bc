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
 * npm run eval                         playbooks alone, a planner of rules,
 * npm run eval -- --only react         the cases whose request holds this word
 * npm run eval -- --verbose            what each case missed
 * npm run eval -- --provider           sends them to the provider that is set up, too
 */

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    provider: { type: 'boolean', default: false },
  },
})
const policy = await loadPolicy(null)
const playbooks = await loadPlaybooks(null)
const found = await openModel(readModelSettings(loadEnv(process.env)))
const real = values.provider ? found : null
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
// About what an evaluation of 46 requests in both ways sends; repairs may make it more.
const about = Math.ceil((144 * chosen.length) / cases.length)
if (found)
  console.log(
    `${values.provider ? 'Sends' : 'With --provider it sends'} up to ${2 * chosen.length} requests, repairs not counted, about ${about},000 tokens, to ${found.provider} ${found.model}.`,
  )
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
if (!found)
  console.log('\nNo provider is set up: set a key such as GOOGLE_AI_API_KEY to see how a model plans.')
process.exitCode = forbidden > 0 ? 1 : 0
