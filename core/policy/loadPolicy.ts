import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { judge } from './judge.ts'
import { type Policy, type PolicyFile, PolicyFileSchema, type Rule } from './policySchema.ts'
import type { PolicyContext } from './verdict.ts'

/** A policy that cannot be used. The message is one line: where, what is wrong, what it takes. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
}

/** The machine that the examples of rules are judged for. */
export const exampleContext: PolicyContext = {
  cwd: '/work/project',
  roots: ['/work'],
  home: '/home/me',
  platform: 'linux',
  denyPaths: ['/home/me/.local/share/skynet'],
}

const builtInFile = new URL('./policy.yaml', import.meta.url)
const fallback = { verdict: 'ask', risk: 'high', reason: 'no rule speaks of this' } as const

/**
 * Reads a policy from its text and checks the examples of its rules. Without built-in rules after it: those are added
 * by `loadPolicy`, or by passing them as `base`.
 *
 * @throws {PolicyError} naming `source`, the rule, the example, and the verdict it got.
 */
export function parsePolicy(yamlText: string, source: string, base?: Policy): Policy {
  const file = readFileText(yamlText, source)
  const added = file.extends === 'nothing' ? undefined : base
  const text = createHash('sha256').update(yamlText)
  if (added) text.update('\0').update(added.version)
  const policy: Policy = {
    version: text.digest('hex').slice(0, 16),
    source,
    rules: [...file.rules, ...(added?.rules ?? [])],
    defaults: file.defaults ?? added?.defaults ?? fallback,
  }
  checkNames(file, source)
  for (const rule of file.rules) checkExamples(rule, policy, source)
  return policy
}

/** Loads the built-in policy, or a file whose rules come before the built-in ones. */
export async function loadPolicy(file: string | null): Promise<Policy> {
  const builtIn = parsePolicy(await readFile(builtInFile, 'utf8'), 'core/policy/policy.yaml')
  return file === null ? builtIn : parsePolicy(await readOwn(file), file, builtIn)
}

async function readOwn(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new PolicyError(
      `${file}: cannot be read (${error.code ?? error.message}); SKYNET_POLICY_FILE takes the path of a YAML file`,
    )
  })
}

function readFileText(yamlText: string, source: string): PolicyFile {
  const document = parseDocument(yamlText)
  const problem = document.errors[0]
  if (problem) throw new PolicyError(`${source}: not YAML: ${oneLine(problem.message.split('\n')[0] ?? '')}`)
  const parsed = PolicyFileSchema.safeParse(toValue(() => document.toJS({ maxAliasCount: 100 }), source))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new PolicyError(
    `${source}: ${where(issue?.path ?? [], document.toJS())}: ${oneLine(issue?.message ?? 'is not a policy')}`,
  )
}

function toValue(read: () => unknown, source: string): unknown {
  try {
    return read()
  } catch (error) {
    throw new PolicyError(`${source}: not YAML: ${oneLine(String(error))}`)
  }
}

/** `rule my.rule, when.program` rather than `rules.3.when.program`. */
function where(path: readonly PropertyKey[], file: unknown): string {
  if (path[0] !== 'rules' || path.length < 2) return path.length > 0 ? path.join('.') : 'the file'
  const rules =
    typeof file === 'object' && file !== null && 'rules' in file && Array.isArray(file.rules)
      ? file.rules
      : []
  const rule: unknown = rules[Number(path[1])]
  const id =
    typeof rule === 'object' && rule !== null && 'id' in rule ? String(rule.id) : `${Number(path[1]) + 1}`
  return [`rule ${id}`, path.slice(2).join('.')].filter(Boolean).join(', ')
}

function checkNames(file: PolicyFile, source: string): void {
  const twice = file.rules.find((rule, i) => file.rules.findIndex((other) => other.id === rule.id) !== i)
  if (twice)
    throw new PolicyError(`${source}: rule ${twice.id} is there twice; every rule takes an id of its own`)
}

function checkExamples(rule: Rule, policy: Policy, source: string): void {
  for (const example of rule.match ?? []) checkExample(rule, example, true, policy, source)
  for (const example of rule.not_match ?? []) checkExample(rule, example, false, policy, source)
}

function checkExample(rule: Rule, example: string, wanted: boolean, policy: Policy, source: string): void {
  const got = judge({ action: 'shell', params: { command: example } }, exampleContext, policy)
  if ((got.rule === rule.id) === wanted) return
  const wish = wanted ? 'should be judged by it' : 'should not be judged by it'
  throw new PolicyError(
    `${source}: rule ${rule.id}: example ${JSON.stringify(example)} ${wish}, but got ${got.verdict} ${got.risk} by ${got.rule}`,
  )
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
