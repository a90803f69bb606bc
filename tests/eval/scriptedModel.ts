import type { Answer, Completion, Model } from '../../core/llm/model.ts'
import { draft, read, sh, tests, write } from './drafts.ts'

/*
 * A planner of a few rules in the place of a model. It sees the question and nothing else: no case, no check. Every
 * third request it first answers with what models get wrong. What its score means: that the question holds what a plan
 * needs, and that wrong answers come back mended. Of how well a model plans it says nothing; most of the work here is
 * beyond it.
 */

const tokensOf = (text: string): number => Math.ceil(text.length / 4)
const block = (user: string, name: string): string =>
  new RegExp(`<data-[0-9a-f]+ name="[^"]*${name}">\\n([\\s\\S]*?)\\n</data-`).exec(user)?.[1] ?? ''

type Seen = { request: string; files: string[]; tools: string[]; testTool: string | undefined }

function seen(user: string): Seen {
  const place = JSON.parse(block(user, 'place') || '{}') as { repository?: { test_tools?: string[] } | null }
  return {
    request: block(user, 'request'),
    files: block(user, 'would take').split('\n').filter(Boolean),
    tools: /tools: (.*)/.exec(block(user, 'are there'))?.[1]?.split(' ') ?? [],
    testTool: place.repository?.test_tools?.[0],
  }
}

type Steps = ReturnType<typeof sh>[]
type Rule = [RegExp, (found: RegExpExecArray, at: Seen) => Steps | null]

const rules: Rule[] = [
  [
    /(?:upgrade|bump|update) (\w+) to (?:version )?([\d.]+)/i,
    ([, name = '', version = ''], { tools }) =>
      tools.includes('npm')
        ? [sh(`npm install ${name}@${version}`, { network: true, writes: ['package.json'] })]
        : null,
  ],
  [/(?:delete|remove) (\S+\.\w+)/i, ([, name = '']) => [sh(`rm ${name}`, { writes: [name] })]],
  [
    /(?:throw away|undo|restore).* (\S+\.\w+)/i,
    ([, name = '']) => [sh(`git restore ${name}`, { writes: [name] })],
  ],
  [/branch called ([\w-]+)/i, ([, name = '']) => [sh(`git switch -c ${name}`, { writes: ['.git'] })]],
  [/write an? (\w+) file/i, ([, name = '']) => [write(name, `${name}\n`)]],
  [
    /docker image/i,
    (_, { tools }) =>
      tools.includes('docker')
        ? [sh('docker build -t local .', { network: true }), sh('docker image ls local', { after: [1] })]
        : null,
  ],
  [
    /release build/i,
    (_, { tools }) =>
      tools.includes('cargo')
        ? [sh('cargo build --release', { writes: ['target'] }), sh('ls -l target/release', { after: [1] })]
        : null,
  ],
  [
    /\b(\w+)\b.* (?:test|tests)\b.*\blook\b|look at (\w+)/i,
    (_, { files, request }) => {
      const hit = files.find((path) =>
        path.split(/\W/).some((part) => part.length > 3 && request.includes(part.replace(/s$/, ''))),
      )
      return hit ? [read(hit)] : null
    },
  ],
  [
    /how many lines|count the lines/i,
    (_, { files }) => [sh(`wc -l ${files.filter((f) => /\.(?:py|ts|rs|go)$/.test(f)).join(' ')}`)],
  ],
]

const followUps: Rule[] = [
  [/\b(?:run|and|then) .*tests?\b|\btest/i, (_, { testTool }) => (testTool ? [tests(testTool)] : null)],
  [
    /\bcommit\b/i,
    () => [{ ...sh('commit'), call: { action: 'git_commit', message: 'As asked', paths: null } }],
  ],
]

const applied = (all: Rule[], at: Seen): Steps =>
  all.flatMap(([pattern, make]) => {
    const found = pattern.exec(at.request)
    return (found && make(found, at)) ?? []
  })

function planFor(at: Seen): object {
  const first = applied(rules, at)
  if (first.length === 0) return { cannot: 'I do not know how.', summary: '', milestones: [], tasks: [] }
  const after = applied(followUps, at).map((step, i) => ({ ...step, depends_on: [String(first.length + i)] }))
  return draft(at.request.slice(0, 50), [...first, ...after])
}

const mistakes = [
  () => 'Sure! Here is what I would do: first, look around.',
  (plan: string) => plan.replaceAll('"depends_on":[]', '"depends_on":["99"]'),
  (plan: string) => plan.replaceAll('"directory":null', '"directory":"/etc"'),
]

/** The planner of rules. */
export function scriptedModel(): Model {
  let asked = 0
  return {
    provider: 'scripted',
    model: 'rules',
    complete: async <T>({ purpose, system, user }: Completion<T>): Promise<Answer> => {
      const whole = JSON.stringify(planFor(seen(user)))
      const spoil =
        purpose === 'plan' && ++asked % 3 === 0 ? mistakes[(asked / 3) % mistakes.length] : undefined
      const text = spoil ? spoil(whole) : whole
      const value = text.startsWith('{') ? JSON.parse(text) : undefined
      return {
        value,
        text,
        tokens_in: tokensOf(system + user),
        tokens_out: tokensOf(text),
        ms: 0,
        cost_usd: 0,
      }
    },
  }
}
