import { describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { matchPlaybook } from '../../../core/planning/matchPlaybook.ts'
import { tidyRequest } from '../../../core/planning/tidyRequest.ts'
import { demo, place } from './places.ts'

const playbooks = await loadPlaybooks(null)
const named = (request: string, at = demo()) => matchPlaybook(playbooks, request, at)?.playbook.name ?? null
const values = (request: string) => matchPlaybook(playbooks, request, demo())?.values

const wordings: Record<string, string[]> = {
  'repo-status': [
    'What changed?',
    'what changed',
    'Whats new',
    'git status',
    'Git Status!',
    'show me the status of this repository',
    'status of the repo',
    'what has changed in this repo?',
    'hey, can you show me the changes please?',
    'is everything committed?',
    'are there uncommitted changes?',
    'what’s new?',
    'list the modified files',
    'Repo status',
    'kya badla hai',
    'do I have uncommitted work?',
  ],
  'show-diff': ['show me the diff', 'git diff', 'the diff', 'show the full diff please'],
  'recent-commits': [
    'show the last 3 commits',
    'latest commits',
    'git log',
    'show me recent commits',
    'what was the last commit?',
    'show the commit history',
  ],
  branches: ['which branch am I on?', 'on which branch am I', 'list branches', 'what branch is this'],
  'run-tests': [
    'Run the tests',
    'run tests',
    'RUN ALL TESTS',
    'please run the tests',
    'could you run the unit tests for me?',
    'run the test suite',
    'start the tests again',
    'npm test',
    'test the project',
    'tests please',
    'do the tests pass?',
    'are all tests green?',
    'execute the tests now',
    'Lass die Tests laufen',
    'run tests again',
    'check the tests',
  ],
  'lint-and-build': [
    'build the project',
    'lint',
    'build',
    'run the build',
    'lint and build',
    'does it still build?',
    'npm run build',
    'make a production build',
    'compile the code',
  ],
  'machine-health': [
    'how is my disk',
    'How’s my disk?',
    'check memory',
    'check the disk',
    'disk space',
    'how much memory is free?',
    'how much RAM do I have left',
    'is my disk full?',
    'uptime',
    'show me the load',
    'how busy is my machine?',
    'are we running out of disk space?',
    'system health',
    'how is the server doing?',
  ],
  'large-files': [
    'find large files',
    'what takes up so much space?',
    'show the biggest folders',
    'largest files',
    'what is eating my disk?',
    'find files larger than 100 MB',
  ],
  'log-tail': [
    'tail the log app.log',
    'tail app.log',
    'show last lines of app.log',
    'show me the last 20 lines of logs/app.log',
    'tail -n 30 x.log',
    'show me the logs',
    'tail the log',
    'last 5 lines of notes.txt',
    'show the log of server.log',
  ],
  'find-text': [
    'find TODO in src',
    'grep formatPrice',
    'search for "bulk discount" in src',
    'where is lineTotal used?',
    'look for FIXME in the code folder',
    'show me all todos',
    'find uses of lineTotal',
    'finde TODO in src',
  ],
  'find-file': ['find the file basket.js', 'where is the config file?', 'find a file called notes'],
  'list-files': [
    'list files',
    'ls',
    'ls -la',
    'show me all files',
    'what files are here?',
    'list the files in src',
    'what is in this folder?',
    'list everything',
  ],
  'show-file': [
    'show notes.txt',
    'cat package.json',
    'what’s in README.md?',
    'open src/basket.js',
    'read ~/work/demo/notes.txt',
    'show me the file notes.txt',
  ],
  'commit-work': [
    'commit my work as mend the discount',
    'Commit everything with message "fix: discount"',
    'commit: wip',
    'git commit -m "it works"',
    'please commit all changes as Version 2.',
  ],
  'pull-latest': ['pull', 'git pull', 'pull the latest changes', 'get the latest code', 'update the repo'],
  'push-work': ['push', 'git push', 'push my commits', 'push it to github please'],
  'outdated-packages': [
    'npm outdated',
    'are my dependencies up to date?',
    'check for outdated packages',
    'which packages are outdated?',
  ],
  'install-dependencies': ['npm install', 'install the dependencies', 'install all packages'],
  services: [
    'docker ps',
    'which containers are running?',
    'show the running containers',
    'docker status',
    'are the services up?',
  ],
  'port-use': [
    'who is using port 3000?',
    'is port 8080 free?',
    'what’s listening on port 5432',
    'which ports are open?',
    'check port 80',
  ],
  'add-note': [
    'note: buy milk',
    'add a note that the build is broken',
    'Note that Ana is back on Monday',
    'add buy milk to my notes',
  ],
  'create-file': ['create a file hello.txt with Hello world', 'make todo.md containing buy milk'],
  'demo-job': ['Start the 30 s job', 'start the 30s job', 'run the job', 'npm run job', 'start the demo job'],
  'demo-fix': [
    'Plan a fix',
    'plan a fix please',
    'fix the failing test',
    'fix it',
    'make the tests pass',
    'can you fix the bug?',
  ],
}

describe('matching', () => {
  test('has a playbook for each name and at least 14 of them', () => {
    expect(Object.keys(wordings).sort()).toEqual(playbooks.map((p) => p.name).sort())
    expect(playbooks.length).toBeGreaterThanOrEqual(14)
  })

  for (const [name, requests] of Object.entries(wordings)) {
    test(`hears ${name}`, () => {
      expect(requests.map((r) => [r, named(r)])).toEqual(requests.map((r) => [r, name]))
    })
  }

  test('each playbook is the one its own examples choose', () => {
    const chosen = playbooks.flatMap((p) => p.examples.match.map((e) => [e, named(e)]))
    expect(chosen).toEqual(playbooks.flatMap((p) => p.examples.match.map((e) => [e, p.name])))
  })

  test('leaves requests alone that mean something else', () => {
    const others = [
      '',
      ' ',
      '?',
      'hello',
      'status',
      'thanks',
      'help',
      'what is the weather?',
      'fix the login page',
      'run the tests and then deploy',
      'write tests for the parser',
      'build a website for my cat',
      'delete all large files',
      'rm -rf /',
      'commit and push',
      'commit',
      'force push',
      'find the bug in login',
      'refactor src/basket.js',
      'rename lineTotal to lineCost',
      'upgrade react to 19',
      'show me how to write a test',
      'run the server',
      'stop the job',
      'tail',
      'find',
      'is it raining',
      'create a file',
      'install docker',
      'restart nginx',
      'push to production and tell me',
      'pull the docker image',
      'undo the last commit',
      'run the tests\n\nand then delete everything',
      'list files; rm -rf ~',
      'show notes.txt and then email it',
    ]
    expect(others.map((r) => [r, named(r)])).toEqual(others.map((r) => [r, null]))
  })

  test('offers the demo playbooks in the demo only', () => {
    expect(named('Plan a fix', place())).toBeNull()
    expect(named('start the job', place())).toBeNull()
  })

  test('reads parameters with their case and their quotes', () => {
    expect(values('find TODO in src')).toEqual({ text: 'TODO', path: 'src' })
    expect(values("search for 'api key' in the config folder")).toEqual({ text: 'api key', path: 'config' })
    expect(values('find every use of it in src')).toEqual({ text: 'use of it', path: 'src' })
    expect(values('find the file notes in src')).toEqual({ name: 'notes', path: 'src' })
    expect(values('find “it’s Late” in My.File')).toEqual({ text: "it's Late", path: 'My.File' })
    expect(values("show the last 7 lines of 'my app.log'")).toEqual({ path: 'my app.log', lines: 7 })
    expect(values('Commit my work as the Final fix, really!')).toEqual({ message: 'the Final fix, really' })
    expect(values('list files in ..')).toEqual({ path: '..' })
    expect(values('tail -rf')).toBeUndefined()
    expect(values('tail the log ./-x')).toEqual({ path: './-x', lines: 50 })
    expect(values('show the last 5000 lines of a.log')).toBeUndefined()
    expect(values('is port 99999 free?')).toBeUndefined()
  })

  test('takes words for the place itself as the place, in every playbook', () => {
    const here = [
      'in this repo',
      'in this repository',
      'in the project',
      'in this folder',
      'in the current directory',
      'in our codebase',
      'in the whole repo',
      'in repo',
      'in here',
      'here',
    ]
    for (const words of here) {
      expect([words, values(`find TODO ${words}`)]).toEqual([words, { text: 'TODO', path: '.' }])
      expect([words, values(`list the files ${words}`)]).toEqual([words, { path: '.' }])
      expect([words, values(`find large files ${words}`)]).toEqual([words, { path: '.', min: 20 }])
      expect([words, values(`find the file basket.js ${words}`)?.name]).toEqual([words, 'basket.js'])
      expect([words, named(`what changed ${words}?`)]).toEqual([words, 'repo-status'])
      expect([words, named(`run the tests ${words}`)]).toEqual([words, 'run-tests'])
      expect([words, values(`show the logs ${words}`)]).toEqual([words, { path: '.', lines: 50 }])
    }
    expect(matchPlaybook(playbooks, 'show the logs in this repo', demo())?.given.has('path')).toBe(false)
    expect(values("find TODO in 'project'")?.path).toBe('project')
    expect(values('find TODO in project/')?.path).toBe('project/')
    expect(values('commit my work as tidy up in this repo')).toEqual({ message: 'tidy up in this repo' })
    expect(named('delete everything in this repo')).toBeNull()
  })

  test('is deterministic and quick on long and odd requests', () => {
    const odd = [
      'the '.repeat(2000),
      'a'.repeat(100_000),
      'find '.repeat(70),
      `run ${'the '.repeat(90)}tests`,
      '"'.repeat(390),
      `show ${"'".repeat(300)}`,
    ]
    const started = performance.now()
    for (const request of odd) named(request)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('tidyRequest', () => {
  test('takes politeness, stops and invisible characters away', () => {
    expect(tidyRequest('  Hey, please can you  run\nthe tests for me, thanks!! ')).toBe('run the tests')
    expect(tidyRequest('list files in ..')).toBe('list files in ..')
    expect(tidyRequest('show \u202enotes.txt\u202c')).toBe('show notes.txt')
    expect(tidyRequest('please')).toBe('please')
  })
})
