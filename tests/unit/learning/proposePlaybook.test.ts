import fc from 'fast-check'
import { forEachChild, parse, type SyntaxNode } from 'unbash'
import { describe, expect, test } from 'vitest'
import { proposePlaybook, readLearned } from '../../../core/learning/proposePlaybook.ts'
import { fillPlaybook, renderParams } from '../../../core/planning/fillPlaybook.ts'
import { matchPlaybook } from '../../../core/planning/matchPlaybook.ts'
import type { Values } from '../../../core/planning/playbook.ts'
import { readParameter } from '../../../core/planning/readParameters.ts'
import { placeholders } from '../../../core/planning/renderTemplate.ts'
import { PlanSpec } from '../../../core/protocol/specs.ts'
import { place } from '../planning/places.ts'

/* What a run's request and steps have in common becomes a parameter; another request then fills it. */

const here = place()
type Step = string | { action: string; params: Record<string, unknown>; writes?: string[] }

const planOf = (steps: readonly Step[], over: Partial<PlanSpec> = {}): PlanSpec =>
  PlanSpec.parse({
    version: 1,
    summary: 'What was asked',
    milestones: [],
    tasks: steps.map((step, i) => {
      const call = typeof step === 'string' ? { action: 'shell', params: { command: step } } : step
      return {
        key: String(i + 1),
        title: `Step ${i + 1}`,
        depends_on: i === 0 ? [] : [String(i)],
        spec: {
          action: call.action,
          params: call.params,
          agent_id: here.agentId,
          machine_id: here.machineId,
          cwd: here.cwd,
          required_files: (typeof step === 'string' ? [] : (step.writes ?? [])).map(
            (f) => `${here.cwd}/${f}`,
          ),
          timeout_s: 60,
          network: false,
        },
      }
    }),
    ...over,
  })

const propose = (request: string, steps: readonly Step[], over: Partial<PlanSpec> = {}) =>
  proposePlaybook({ number: 12, request, plan: planOf(steps, over), repository: null })

function learn(request: string, steps: readonly Step[]) {
  const proposal = propose(request, steps)
  if (proposal.kind === 'cannot') throw new Error(`${request}: ${proposal.reason}`)
  return { ...proposal, playbook: readLearned(proposal.name, proposal.yaml, []) }
}

/** The parameters of each task that another request gets; null when it is not understood. */
function again(request: string, steps: readonly Step[], other: string): unknown[] | null {
  const match = matchPlaybook([learn(request, steps).playbook], other, here)
  if (!match) return null
  const plan = PlanSpec.parse(fillPlaybook(match, here, 1))
  return plan.tasks.map(({ spec }) => (spec.action === 'shell' ? spec.params.command : spec.params))
}

/** request, steps, recognised, another request, its steps. */
const cases: [string, Step[], Record<string, string>, string, unknown[]][] = [
  [
    'create a branch login-fix',
    ['git checkout -b login-fix'],
    { branch: 'login-fix' },
    'create a branch logout',
    ['git checkout -b logout'],
  ],
  [
    'crée une branche paiement',
    ['git switch -c paiement'],
    { branch: 'paiement' },
    'crée une branche panier',
    ['git switch -c panier'],
  ],
  [
    'show disk usage of /var/log sorted',
    ['du -sh /var/log/* | sort -h'],
    { path: '/var/log' },
    'show disk usage of "my logs" sorted',
    ["du -sh 'my logs'/* | sort -h"],
  ],
  [
    'switch to branch main',
    ['git switch main'],
    { branch: 'main' },
    'switch to branch develop',
    ['git switch develop'],
  ],
  [
    'merge the main branch into mine',
    ['git merge main'],
    { branch: 'main' },
    'merge the release branch into mine',
    ['git merge release'],
  ],
  [
    'start feature/login',
    ['git switch -c feature/login'],
    { branch: 'feature/login' },
    'start feature/pay',
    ['git switch -c feature/pay'],
  ],
  [
    'cut release/2.1 from main',
    ['git switch main', 'git switch -c release/2.1'],
    { branch: 'release/2.1' },
    'cut release/2.2 from main',
    ['git switch main', 'git switch -c release/2.2'],
  ],
  [
    'prepare version 2.4.1',
    ['npm version 2.4.1 --no-git-tag-version'],
    { version: '2.4.1' },
    'prepare version 3.0.0',
    ['npm version 3.0.0 --no-git-tag-version'],
  ],
  ['tag v1.9.0 please', ['git tag v1.9.0'], { tag: 'v1.9.0' }, 'please tag v2.0.0', ['git tag v2.0.0']],
  [
    'bump lodash to 4.17.21',
    ['npm install lodash@4.17.21'],
    { version: '4.17.21' },
    'bump lodash to 5.0.0',
    ['npm install lodash@5.0.0'],
  ],
  [
    'bump package lodash to 4.17.21',
    ['npm install lodash@4.17.21'],
    { package: 'lodash', version: '4.17.21' },
    'bump package zod to 4.1.0',
    ['npm install zod@4.1.0'],
  ],
  [
    'count the words in notes.txt',
    ['wc -w notes.txt'],
    { path: 'notes.txt' },
    'count the words in todo.md',
    ['wc -w todo.md'],
  ],
  [
    'count words of docs/guide.md',
    ['wc -w docs/guide.md'],
    { path: 'docs/guide.md' },
    'count words of "my notes.md"',
    ["wc -w 'my notes.md'"],
  ],
  [
    'make a folder reports',
    ['mkdir -p reports'],
    { folder: 'reports' },
    'make a folder out',
    ['mkdir -p out'],
  ],
  ['archive folder logs', ['tar czf logs.tgz logs'], {}, 'archive folder logs', ['tar czf logs.tgz logs']],
  [
    'copy a.txt to b.txt',
    ['cp a.txt b.txt'],
    { path: 'a.txt', path_2: 'b.txt' },
    'copy x.md to y.md',
    ['cp x.md y.md'],
  ],
  [
    'rename old-name.ts to new-name.ts and test it',
    ['git mv old-name.ts new-name.ts', 'npm test'],
    { path: 'old-name.ts', path_2: 'new-name.ts' },
    'rename p.ts to q.ts and test it',
    ['git mv p.ts q.ts', 'npm test'],
  ],
  [
    'show the last 20 lines of server.log',
    ['tail -n 20 server.log'],
    { line: '20', path: 'server.log' },
    'show the last 5 lines of app.log',
    ['tail -n 5 app.log'],
  ],
  [
    'show me 15 commits',
    ['git log --oneline -15'],
    { commit: '15' },
    'show me 3 commits',
    ['git log --oneline -3'],
  ],
  [
    'what listens on port 8080',
    ['ss -ltnp sport = :8080'],
    { port: '8080' },
    'what listens on port 443',
    ['ss -ltnp sport = :443'],
  ],
  [
    'squash the last 3 commits',
    ['git reset --soft HEAD~3'],
    { commit: '3' },
    'squash the last 2 commits',
    ['git reset --soft HEAD~2'],
  ],
  [
    'find files larger than 500 kilobytes',
    ['du -a --threshold 500'],
    { number: '500' },
    'find files larger than 9 kilobytes',
    ['du -a --threshold 9'],
  ],
  [
    'search for "connection refused" in the logs',
    ["grep -rn 'connection refused' logs"],
    { text: 'connection refused' },
    'search for "time out" in the logs',
    ["grep -rn 'time out' logs"],
  ],
  [
    'search for "connection refused" in the logs',
    ['grep -rn "connection refused" logs'],
    { text: 'connection refused' },
    'search for "it\'s" in the logs',
    ["grep -rn 'it'\\''s' logs"],
  ],
  [
    'commit with message fix the login',
    [{ action: 'git_commit', params: { message: 'fix the login' } }],
    { message: 'fix the login' },
    'commit with message add tests for it',
    [{ message: 'add tests for it' }],
  ],
  [
    'commit everything with the message: tidy up docs',
    ['git add -A', "git commit -m 'tidy up docs'"],
    { message: 'tidy up docs' },
    'commit everything with the message: drop it all',
    ['git add -A', "git commit -m 'drop it all'"],
  ],
  [
    'commit as "fix the login"',
    [{ action: 'git_commit', params: { message: 'fix the login' } }],
    { text: 'fix the login' },
    'commit as "two words"',
    [{ message: 'two words' }],
  ],
  [
    'write hello.txt saying "good morning"',
    [
      {
        action: 'file_write',
        params: { path: 'hello.txt', content: 'good morning\n' },
        writes: ['hello.txt'],
      },
    ],
    { path: 'hello.txt', text: 'good morning' },
    'write bye.txt saying "so long"',
    [{ path: 'bye.txt', content: 'so long\n' }],
  ],
  [
    'list the files of src two deep',
    [{ action: 'file_list', params: { path: 'src', depth: 2 } }],
    {},
    'list the files of src two deep',
    [{ path: 'src', depth: 2 }],
  ],
  [
    'list folder src 2 levels deep',
    [{ action: 'file_list', params: { path: 'src', depth: 2 } }],
    { folder: 'src', level: '2' },
    'list folder lib 3 levels deep',
    [{ path: 'lib', depth: 3 }],
  ],
  [
    'load https://example.org/a.json into data.json',
    ['curl -o data.json https://example.org/a.json'],
    { url: 'https://example.org/a.json', path: 'data.json' },
    'load https://example.org/b.json into b.json',
    ['curl -o b.json https://example.org/b.json'],
  ],
  [
    'restart service nginx',
    ['systemctl restart nginx'],
    { service: 'nginx' },
    'restart service redis',
    ['systemctl restart redis'],
  ],
  [
    'show logs of container web',
    ['docker logs web'],
    { container: 'web' },
    'show logs of container db',
    ['docker logs db'],
  ],
  [
    'run the tests of CartTotal',
    ['npm test -- -t CartTotal'],
    { name: 'CartTotal' },
    'run the tests of UserList',
    ['npm test -- -t UserList'],
  ],
  [
    'add user bob@example.org to the list',
    ['./add bob@example.org'],
    { user: 'bob@example.org' },
    'add user eve@example.org to the list',
    ['./add eve@example.org'],
  ],
  [
    'deploy to environment staging',
    ['npm run deploy -- --env=staging'],
    { environment: 'staging' },
    'deploy to environment live',
    ['npm run deploy -- --env=live'],
  ],
  [
    'create a module called billing',
    ['mkdir -p src/billing', 'touch src/billing/index.ts'],
    { name: 'billing' },
    'create a module called tax',
    ['mkdir -p src/tax', 'touch src/tax/index.ts'],
  ],
  ['open issue 482', ['gh issue view 482'], { issue: '482' }, 'open issue 7', ['gh issue view 7']],
  [
    'cherry-pick 3f2a91c',
    ['git cherry-pick 3f2a91c'],
    { name: '3f2a91c' },
    'cherry-pick aa00bb1',
    ['git cherry-pick aa00bb1'],
  ],
  [
    'compare Dockerfile with main',
    ['git diff main -- Dockerfile'],
    { name: 'Dockerfile' },
    'compare Makefile with main',
    ['git diff main -- Makefile'],
  ],
  [
    'revert file "src/a b.ts"',
    ["git checkout -- 'src/a b.ts'"],
    { file: 'src/a b.ts' },
    'revert file src/c.ts',
    ['git checkout -- src/c.ts'],
  ],
  [
    'zip report-2024.csv, then list it',
    ['gzip report-2024.csv', 'ls report-2024.csv.gz'],
    {},
    'zip report-2024.csv, then list it',
    ['gzip report-2024.csv', 'ls report-2024.csv.gz'],
  ],
  [
    'sort names.csv, then count it',
    ['sort -o names.csv names.csv', 'wc -l names.csv'],
    { path: 'names.csv' },
    'sort b.csv, then count it',
    ['sort -o b.csv b.csv', 'wc -l b.csv'],
  ],
  [
    'lint (src/app.ts)',
    ['npx biome lint src/app.ts'],
    { path: 'src/app.ts' },
    'lint (src/b.ts)',
    ['npx biome lint src/b.ts'],
  ],
]

describe('parameters of a kept run', () => {
  test.each(cases)('%s', (request, steps, recognised, other, filled) => {
    const { parameters } = learn(request, steps)
    expect(Object.fromEntries(parameters.map(({ name, was }) => [name, was]))).toEqual(recognised)
    expect(again(request, steps, other)).toEqual(filled)
  })

  test('the request it was learned from gives the steps it was learned from', () => {
    for (const [request, steps] of cases) {
      const filled = again(request, steps, request)
      const same = steps.map((step) => (typeof step === 'string' ? step.replaceAll('"', "'") : step.params))
      expect(filled).toEqual(same)
    }
  })
})

describe('what is no parameter', () => {
  const none: [string, Step[]][] = [
    ['run the tests and lint', ['npm test', 'npm run lint']],
    ['show what changed', ['git diff']],
    ['replace foo.bar in all files', ['sed -i s/foo.bar/x/ *']],
    ['run deploy.sh', ['sh deploy.sh']],
    ['run ./deploy.sh', ['./deploy.sh']],
    ['list *.log files', ['ls *.log']],
    ['print $HOME/x', ['echo "$HOME/x"']],
    ['read ~/notes.txt', ['cat ~/notes.txt']],
    ['write out.txt', ['echo hi > out.txt']],
    ['say hi to 2', ['echo one-2-three > 2']],
    ['install and test', ['npm install', 'npm test']],
    ['copy a.txt over a.txt', ['cp a.txt a.txt']],
    ['call -rf', ['ls -rf']],
  ]
  test.each(none)('%s', (request, steps) => {
    expect(learn(request, steps).parameters).toEqual([])
  })

  test('what another request says in its place is not understood then', () => {
    expect(again('read ~/notes.txt', ['cat ~/notes.txt'], 'read ~/other.txt')).toBeNull()
    expect(again('run ./deploy.sh', ['./deploy.sh'], 'run ./other.sh')).toBeNull()
    expect(again('show what changed', ['git diff'], 'show what changed yesterday')).toBeNull()
  })

  test('a value in program text stays what it was', () => {
    const script = { action: 'script', params: { interpreter: 'node', body: 'console.log("a.txt")' } }
    expect(learn('print the name of a.txt', [script]).parameters).toEqual([])
  })
})

describe('a run that cannot be kept', () => {
  const reasonOf = (request: string, steps: readonly Step[], over: Partial<PlanSpec> = {}) => {
    const proposal = propose(request, steps, over)
    return proposal.kind === 'cannot' ? proposal.reason : 'kept'
  }
  test('says why', () => {
    const plan = planOf(['ls', 'ls'])
    const [first, second] = plan.tasks
    if (!first || !second) throw new Error('no tasks')
    const apart = [first, { ...second, spec: { ...second.spec, cwd: '/home/ana/work/web' } }]
    expect(reasonOf('list both', ['ls'], { tasks: apart })).toContain('several places')
    expect(reasonOf('do it all', Array(21).fill('ls'))).toContain('more than 20 steps')
    expect(reasonOf('show names', ["docker ps --format '{{names}}'"])).toContain('double braces')
    expect(reasonOf(`do ${'x '.repeat(300)}`, ['ls'])).toContain('too long')
    expect(reasonOf('8080', ['ss -ltnp sport = :8080'])).toContain('no words')
  })
})

test('whatever is asked and done: a playbook that is made gives the same steps for the same request', () => {
  const word = fc.constantFrom(
    ...'run the tests of branch main in src/app.ts with 20 lines "two words" v1.2 and ; | $(id) * ~ \' " ( ) { } [ ] {{x}} `x` \\ # -rf -- = a=b é 🙂 notes.txt https://x.example/y message: to file folder'.split(
      ' ',
    ),
  )
  let made = 0
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      fc.array(word, { minLength: 1, maxLength: 8 }),
      (request, command) => {
        const text = request.join(' ')
        const step = `echo ${command.join(' ')}`
        const proposal = propose(text, [step])
        if (proposal.kind === 'cannot') return
        made++
        const playbook = readLearned(proposal.name, proposal.yaml, [])
        const match = matchPlaybook([playbook], text, here)
        expect(match).not.toBeNull()
      },
    ),
    { numRuns: 800 },
  )
  expect(made).toBeGreaterThan(100)
})

/** A command's nodes, and the words of its arguments as the shell understands them. */
function shapeOf(command: string): unknown {
  const walk = (node: SyntaxNode): unknown => {
    if (node.type === 'Word') return 'Word'
    const inner: unknown[] = []
    forEachChild(node, (child) => void inner.push(walk(child)))
    return [node.type, ...inner]
  }
  const script = parse(command)
  expect(script.errors ?? []).toEqual([])
  return walk(script)
}

test('whatever the next request says, the shape of a command stays what was reviewed', () => {
  const commands = cases.flatMap(([request, steps]) => {
    const { playbook } = learn(request, steps)
    return playbook.tasks.flatMap((task) =>
      typeof task.params.command === 'string' && placeholders(task.params.command).length > 0
        ? [{ playbook, task }]
        : [],
    )
  })
  expect(commands.length).toBeGreaterThan(25)
  const hostile = fc
    .array(
      fc.constantFrom(
        ...`' " \` $(id) $HOME ; && | > < \n \\ # * ? ! ~ {a,b} -rf -- = \u202e \t ( ) & .. / x`.split(' '),
        ' ',
      ),
      { minLength: 1, maxLength: 8 },
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.constantFrom(...commands), hostile, ({ playbook, task }, given) => {
      const read = Object.entries(playbook.parameters).map(
        ([name, p]) => [name, p.type === 'int' ? 7 : readParameter(given, p)] as const,
      )
      if (read.some(([, value]) => value === null)) return
      const filled = renderParams(task, Object.fromEntries(read) as Values).command
      const plain = renderParams(task, Object.fromEntries(read.map(([name]) => [name, 'x']))).command
      expect(shapeOf(String(filled))).toEqual(shapeOf(String(plain)))
    }),
    { numRuns: 2000 },
  )
})
