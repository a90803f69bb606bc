import { describe, expect, it } from 'vitest'
import { judge } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'

const policy = await loadPolicy(null)
const check = (command: string, context = exampleContext) =>
  judge({ action: 'shell', params: { command } }, context, policy)

describe('the network', () => {
  it.each([
    '$X foo',
    '"$(cat x)"',
    'X=$(ls); $X',
    'sh -c "$X"',
    'eval "$X"',
    'cat x | sh',
    '/bin/l? a',
    'echo $X | xargs -I{} sh -c {}',
    'if true',
    "python3 -c 'print(1)'",
  ])('may be reached where what runs is known only when it runs: %s', (command) => {
    expect(check(command)).toMatchObject({ verdict: 'ask', network: true })
  })

  it.each(['ls', 'git status', 'rm a.log', 'cat $FILE', 'echo hi > a.txt'])('is not by %s', (command) => {
    expect(check(command).network).toBe(false)
  })
})

describe('a deletion', () => {
  it('does not say what git knows of the files', () => {
    for (const command of ['rm -rf src', 'rm a.log', 'rm -r build'])
      expect(check(command).reason).not.toContain('git')
  })
})

const named = {
  verdict: 'ask',
  risk: 'medium',
  rule: 'fs.write',
  reason: 'changes files; the name is known only when it runs',
}

describe('a file with a name that is known only when it runs', () => {
  it.each([
    'touch once-$(date +%s%N).txt',
    'touch once-`date +%s`.txt',
    'touch "once-$(date +%F).txt"',
    "touch once-$(date -u '+%Y-%m-%dT%H:%M').txt",
    'touch src/log-$(hostname).txt',
    'echo hi > run-$(whoami)',
    'echo hi >> run-$(id -u).log',
    'cp a b-$(uname -s)',
    'X=$(date +%s); touch once-$X.txt',
    'mkdir out-$(date +%F)',
    'tee x-$(date +%s) < a',
  ])('is written where it stands: %s', (command) => {
    expect(check(command)).toMatchObject(named)
  })

  it('has the name that basename takes from a literal path', () => {
    expect(check('touch x-$(basename src/a.js .js).txt')).toMatchObject({ rule: 'fs.create', risk: 'low' })
    expect(check('touch con$(basename x/ftest.py)')).toMatchObject({ rule: 'fs.write-startup', risk: 'high' })
  })

  it.each([
    'touch $(date +%s).txt',
    'touch once-$(date).txt',
    'touch once-$(date +%D).txt',
    'touch "once-$(date +%D)"',
    'touch once-$(date +/%s)',
    "touch once-$(date '+ %s').txt",
    'touch once-$(date $F).txt',
    'touch once-$(date +$F).txt',
    'touch once-$(date -f x +%s)',
    'touch once-$(date -s 2020-01-01 +%s)',
    'touch once-$(TZ=x date +%s)',
    'touch once-$(date +%s; echo /x)',
    'touch once-$(date +%s | tr 1 /)',
    'touch once-$(cat x)',
    'touch once-$(basename "$X")',
    'touch once-$(basename -a x y)',
    'touch once-$(id)',
    'touch once-$(hostname -I)',
    'touch once-$X',
    'touch a/$(date +%s)/x',
    'touch .env-$(date +%s)',
    'touch ../../x-$(date +%s)',
    'touch /opt/x-$(date +%s)',
    'touch ~/x-$(date +%s)',
    'date() { echo /etc/x; }; touch once-$(date +%s)',
    'cd $X && touch once-$(date +%s)',
  ])('is anywhere otherwise: %s', (command) => {
    const { verdict, risk, reason } = check(command)
    expect([verdict, ['high', 'critical'].includes(risk)]).toEqual(['ask', true])
    expect(reason).not.toContain('the name is known')
  })

  it('is judged as before where it is not written', () => {
    expect(check('rm -rf x-$(date +%s)').rule).toBe(check('rm -rf x-"$(cat y)"').rule)
    expect(check('rm -rf $(date +%s)/*').verdict).toBe('deny')
    expect(check('$(whoami)')).toMatchObject({ rule: 'shell.dynamic' })
    expect(check('cat x-$(date +%s)')).toMatchObject({ rule: 'fs.read-outside' })
    expect(check('sh -c "x$(whoami)"').verdict).toBe('ask')
    expect(check('touch /etc/x-$(date +%s)').verdict).not.toBe('allow')
    const inData = { ...exampleContext, denyPaths: ['/work/project/data'] }
    expect(check('touch data/x-$(date +%s)', inData).verdict).toBe('deny')
    expect(check('touch da$(date +%s)', inData).reason).not.toContain('the name is known')
  })
})
