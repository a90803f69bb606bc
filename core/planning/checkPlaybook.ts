import { forEachChild, parse, type SyntaxNode } from 'unbash'
import { ActionCallSchema } from '../protocol/actions.ts'
import { planFaults } from '../protocol/specs.ts'
import { factNames, renderParams } from './fillPlaybook.ts'
import { matchOne } from './matchPlaybook.ts'
import { type Playbook, type PlaybookTask, programFields, type Values } from './playbook.ts'
import { readParameter } from './readParameters.ts'
import { placeholders } from './renderTemplate.ts'
import { tidyRequest } from './tidyRequest.ts'

type Fault = { field: string; wrong: string }

/** Programs that take a word as a program or a command line: no quoting helps there. */
const interpreters = new Set(
  'eval sh bash dash zsh ksh source . exec xargs ssh su sudo env watch awk gawk sed perl python python3 ruby node php find parallel nohup time timeout command builtin trap alias'.split(
    ' ',
  ),
)
/** `find` runs words only behind these. */
const findRuns = /^-(?:exec|execdir|ok|okdir|fprint|fprintf|fls|delete)$/

/** A value that would end any quoting but a correct one. */
const probe = `x'; echo "$(id)\` #\\`

const strings = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(strings)
      : []

function unknownNames(playbook: Playbook): Fault[] {
  const known = new Set<string>([...factNames, ...Object.keys(playbook.parameters)])
  const fault = (field: string, texts: string[]): Fault[] =>
    texts
      .flatMap(placeholders)
      .flatMap((name) =>
        known.has(name)
          ? []
          : [{ field, wrong: `{{${name}}} is neither a parameter nor one of ${factNames.join(', ')}` }],
      )
  return [
    ...fault('summary', [playbook.summary]),
    ...playbook.tasks.flatMap((t, i) =>
      fault(`tasks.${i}`, [t.title, ...strings(t.params), ...strings(t.about), ...(t.required_files ?? [])]),
    ),
  ]
}

function* words(node: SyntaxNode): Generator<{ value: string; command: string | undefined; place: number }> {
  if (node.type === 'Command') {
    const all = [node.name, ...node.args].flatMap((w) => (w?.type === 'Word' ? [w.value] : []))
    const runs = all[0] === 'find' ? all.some((w) => findRuns.test(w)) : interpreters.has(all[0] ?? '')
    for (const [place, value] of all.entries()) yield { value, command: runs ? all[0] : undefined, place }
  }
  const inner: SyntaxNode[] = []
  forEachChild(node, (child) => void inner.push(child))
  for (const child of inner) yield* words(child)
}

/** A placeholder in a command must be a word of its own, or the end of one, of a program that does not run it. */
function commandFault(command: string, values: Values): string | null {
  const names = placeholders(command)
  if (names.length === 0) return null
  const hostile = Object.fromEntries(Object.keys(values).map((name) => [name, probe]))
  const { command: rendered } = renderParams({ action: 'shell', params: { command } }, hostile)
  const script = parse(String(rendered))
  const hit = [...words(script)].filter((w) => w.value.includes(probe))
  const stands = hit.reduce((sum, { value }) => sum + value.split(probe).length - 1, 0)
  if (script.errors?.length || stands !== names.length)
    return 'a {{parameter}} of a command stands alone as a word, outside quotes, comments and here-documents'
  const run = hit.find((w) => w.command !== undefined || w.place === 0)
  return run
    ? `a {{parameter}} cannot be given to ${run.command ?? 'the shell as a command'}, which runs what it gets`
    : null
}

function taskFaults(task: PlaybookTask, index: number, values: Values): Fault[] {
  const at = `tasks.${index}.params`
  const program = Object.entries(task.params).find(
    ([name, value]) =>
      programFields.some((f) => f === `${task.action}.${name}`) &&
      strings(value).some((s) => placeholders(s).length > 0),
  )
  if (program) return [{ field: `${at}.${program[0]}`, wrong: 'program text takes no {{parameter}}' }]
  const wrong =
    task.action === 'shell' && typeof task.params.command === 'string'
      ? commandFault(task.params.command, values)
      : null
  if (wrong) return [{ field: `${at}.command`, wrong }]
  const call = ActionCallSchema.safeParse({ action: task.action, params: renderParams(task, values) })
  const issue = call.error?.issues[0]
  return issue ? [{ field: `tasks.${index}.${issue.path.join('.')}`, wrong: issue.message }] : []
}

/** Values that fit each parameter, to try the templates with. */
function sampleValues(playbook: Playbook): Values {
  const facts = { tool: 'auto', repository: 'api', machine: 'laptop', cwd: '/work' }
  const sample = Object.entries(playbook.parameters).map(([name, p]) => [
    name,
    p.type === 'int'
      ? (p.default ?? p.min)
      : p.type === 'enum'
        ? (p.default ?? p.values[0])
        : (p.default ?? 'sample'),
  ])
  return { ...facts, ...Object.fromEntries(sample) }
}

function parameterFaults(playbook: Playbook): Fault[] {
  return Object.entries(playbook.parameters).flatMap(([name, p]) => {
    const field = `parameters.${name}`
    if (factNames.some((f) => f === name))
      return [{ field, wrong: `the name ${name} is taken by a fact of the place` }]
    if (p.default !== undefined && readParameter(String(p.default), p) === null)
      return [{ field: `${field}.default`, wrong: `${JSON.stringify(p.default)} does not fit the parameter` }]
    return []
  })
}

function exampleFaults(playbook: Playbook): Fault[] {
  const { match, not_match } = playbook.examples
  return [
    ...match.flatMap((text, i) =>
      matchOne(playbook, tidyRequest(text))
        ? []
        : [{ field: `examples.match.${i}`, wrong: `no trigger fits ${JSON.stringify(text)}` }],
    ),
    ...not_match.flatMap((text, i) =>
      matchOne(playbook, tidyRequest(text))
        ? [{ field: `examples.not_match.${i}`, wrong: `a trigger fits ${JSON.stringify(text)}` }]
        : [],
    ),
  ]
}

/** What is wrong with a playbook beyond the form of its file; the first fault, or null. Pure. */
export function playbookFault(playbook: Playbook): Fault | null {
  const graph = planFaults(playbook)[0]
  if (graph) return { field: 'tasks', wrong: graph }
  const early = [...parameterFaults(playbook), ...unknownNames(playbook)][0]
  if (early) return early
  const values = sampleValues(playbook)
  return (
    [...playbook.tasks.flatMap((t, i) => taskFaults(t, i, values)), ...exampleFaults(playbook)][0] ?? null
  )
}
