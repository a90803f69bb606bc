import { describe, expect, test } from 'vitest'
import { classify, type Failure, type FailureClass } from '../../../core/recovery/classify.ts'
import { testSummary } from '../../../core/runs/testSummary.ts'

const isCheck = (said: string): boolean => testSummary(said)?.endsWith('fail') ?? false
const failure = (of: Partial<Failure>): Failure => ({
  status: 'failed',
  code: 'failed',
  message: 'exit code 1',
  exitCode: 1,
  signal: null,
  effect: 'write',
  refused: false,
  said: '',
  ...of,
})

const bySaid: [string, FailureClass][] = [
  ['curl: (6) Could not resolve host: example.org', 'network'],
  ['fatal: unable to access: Failed to connect: Connection timed out', 'network'],
  ['npm ERR! code ECONNRESET', 'network'],
  ['error: RPC failed; HTTP 503 Service Unavailable', 'network'],
  ["fatal: Unable to create '/w/.git/index.lock': File exists.", 'busy'],
  ['sqlite3.OperationalError: database is locked', 'busy'],
  ['E: Could not get lock /var/lib/dpkg/lock', 'busy'],
  ["Error: Cannot find module 'express'", 'missing_packages'],
  ['ModuleNotFoundError: No module named requests', 'missing_packages'],
  ["error[E0463]: can't find crate for `serde`", 'missing_packages'],
  ['go: no required module provides package github.com/x/y; to add it:', 'missing_packages'],
  ['sh: 1: eslint: not found', 'missing_tool'],
  ['bash: line 1: cargo: command not found', 'missing_tool'],
  ["pytest is not on this machine's PATH", 'missing_tool'],
  ['no tests found in /w: it has none of package.json with a test script', 'missing_tool'],
  ['write failed: No space left on device', 'space'],
  ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'memory'],
  ["EACCES: permission denied, open '/etc/x'", 'permission'],
  ['ℹ tests 3\nℹ pass 2\nℹ fail 1', 'checks'],
  ['Tests:       3 failed, 20 passed, 23 total', 'checks'],
  ['something is off', 'other'],
  ['', 'other'],
]

describe('the kind of a failure', () => {
  test.each(bySaid)('%j is %s', (said, kind) => expect(classify(failure({ said }), isCheck)).toBe(kind))

  const byFacts: [string, Partial<Failure>, FailureClass][] = [
    ['policy denied it', { code: 'POLICY_DENIED', exitCode: null }, 'denied'],
    ['its machine was revoked', { code: 'machine_revoked' }, 'denied'],
    ['its agent was busy', { code: 'busy', refused: true }, 'not_started'],
    ['its grant was too old', { code: 'grant_expired', refused: true }, 'not_started'],
    ['its agent does not take it', { code: 'roots', refused: true }, 'denied'],
    ['its agent does not believe the grant', { code: 'grant', refused: true }, 'denied'],
    ['its time was over', { status: 'failed_timeout', code: 'timeout' }, 'timeout'],
    ['nobody knows its end', { status: 'failed_timeout', code: 'lost' }, 'unknown_end'],
    ['nobody heard of it', { status: 'failed_timeout', code: 'unheard' }, 'unknown_end'],
    ['the program was not there', { exitCode: 127 }, 'missing_tool'],
    ['it was killed', { exitCode: 137, signal: 'SIGKILL' }, 'memory'],
    [
      'no process could be made',
      { exitCode: null, message: 'it could not be started: spawn EAGAIN' },
      'not_started',
    ],
    [
      'the program is not there',
      { exitCode: null, message: 'it could not be started: spawn npm ENOENT' },
      'missing_tool',
    ],
  ]
  test.each(byFacts)('%s', (_, of, kind) => expect(classify(failure(of), isCheck)).toBe(kind))

  test('output never makes a denial, a refusal or a lost end anything else', () => {
    for (const [said] of bySaid) {
      expect(classify(failure({ said, code: 'POLICY_DENIED' }), isCheck)).toBe('denied')
      expect(classify(failure({ said, code: 'roots', refused: true }), isCheck)).toBe('denied')
      expect(classify(failure({ said, code: 'lost', status: 'failed_timeout' }), isCheck)).toBe('unknown_end')
    }
  })

  test('only the end of the output counts: what a program got over is not why it ended', () => {
    const old = `ECONNRESET, trying again\n${'building\n'.repeat(200)}`
    expect(classify(failure({ said: old }), isCheck)).toBe('other')
  })
})
