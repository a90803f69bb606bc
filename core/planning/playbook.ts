import { z } from 'zod'
import { type ActionName, ActionNameSchema, testTools } from '../protocol/actions.ts'
import { SecretNames } from '../protocol/secretName.ts'
import { TaskAbout, TaskKey } from '../protocol/specs.ts'

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1)]).transform((v) => [v].flat() as z.output<T>[])
const ParameterName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'a lower-case name such as path')

/** What must hold at the place or of the request; every line of it. */
const Condition = z.strictObject({
  /** True: in a git repository; false: not in one; a name: in the repository of that name. */
  repository: z.union([z.boolean(), z.string()]).optional(),
  /** The repository's first test tool is one of these; `none`: it has none. */
  tool: oneOrMore(z.enum([...testTools, 'none'])).optional(),
  /** One of these package scripts is there. */
  script: oneOrMore(z.string()).optional(),
  platform: oneOrMore(z.enum(['linux', 'darwin', 'win32'])).optional(),
  /** The agent can do all of these actions. */
  action: oneOrMore(ActionNameSchema).optional(),
  /** The tests of the place failed when they last ran, and this stands at the end of what they printed. */
  failing: z.string().min(1).optional(),
  /** The request gave this parameter (its default does not count). */
  given: ParameterName.optional(),
  absent: ParameterName.optional(),
})
export type Condition = z.output<typeof Condition>

const Parameter = z.discriminatedUnion('type', [
  /** Up to `max_words` words, or something in quotes. Never begins with a dash. */
  z.strictObject({
    type: z.literal('string'),
    default: z.string().optional(),
    max_words: z.int().min(1).max(12).default(1),
    pattern: z.string().optional(),
  }),
  /** The rest of the sentence, as it stands. Never begins with a dash. */
  z.strictObject({ type: z.literal('text'), default: z.string().optional(), pattern: z.string().optional() }),
  /** One word or something in quotes; `~` is the home directory. */
  z.strictObject({ type: z.literal('path'), default: z.string().optional(), pattern: z.string().optional() }),
  z.strictObject({
    type: z.literal('int'),
    default: z.int().optional(),
    min: z.int().default(0),
    max: z.int().default(1_000_000),
  }),
  z.strictObject({
    type: z.literal('enum'),
    default: z.string().optional(),
    values: z.array(z.string().min(1)).min(1),
  }),
])
export type Parameter = z.output<typeof Parameter>

const Template = z.string().max(100_000)

const Task = z.strictObject({
  key: TaskKey,
  /** At most 30 characters are shown. */
  title: Template.min(1),
  action: ActionNameSchema,
  params: z.record(z.string(), z.unknown()).default({}),
  depends_on: z.array(TaskKey).default([]),
  milestone: TaskKey.optional(),
  timeout_s: z.int().min(1).max(86_400).default(60),
  network: z.boolean().default(false),
  /** Secrets of the agent's own store that the task is given. */
  secrets: SecretNames.optional(),
  /** What the task writes, from the place's directory; `[]`: it only reads. Without it: what its action writes. */
  required_files: z.array(Template.min(1)).optional(),
  /** What it is for, what it brings, how to check it and how to undo it, for people. */
  about: TaskAbout.optional(),
  /** The task is left out where this does not hold; what depends on it then depends on what it depended on. */
  when: Condition.optional(),
})
export type PlaybookTask = z.output<typeof Task>

/** A playbook as it stands in its file. */
export const PlaybookFile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,47}$/, 'a lower-case name with dashes such as run-tests'),
  title: z.string().min(1).max(60),
  description: z.string().min(1).max(300),
  /** Phrases, or regular expressions between slashes. */
  triggers: z.array(z.string().min(1).max(500)).min(1),
  /** Requests that are meant for something else although a trigger fits. */
  unless: z.array(z.string().min(1).max(500)).default([]),
  parameters: z.record(ParameterName, Parameter).default({}),
  /** Where this does not hold the playbook is not offered at all. */
  only: Condition.default({}),
  /** Where this does not hold the person is told what is missing. */
  requires: Condition.default({}),
  summary: Template.min(1),
  milestones: z.array(z.strictObject({ key: TaskKey, title: z.string().min(1).max(60) })).default([]),
  tasks: z.array(Task).min(1).max(20),
  examples: z.strictObject({
    match: z.array(z.string().min(1)).min(1),
    not_match: z.array(z.string().min(1)).default([]),
  }),
})
export type PlaybookFile = z.output<typeof PlaybookFile>

/** A playbook ready to be matched. `own`: from SKYNET_PLAYBOOKS_DIR; it goes before the built-in ones. */
export type Playbook = Omit<PlaybookFile, 'triggers' | 'unless'> & {
  own: boolean
  /** The triggers as they were written. */
  phrases: readonly string[]
  triggers: RegExp[]
  /** Learned from a run, which had text of these origins in view; shipped ones go before it. */
  learned?: { origins: readonly string[] }
  unless: RegExp[]
}

/** What a request's parameters are once read: never with a NUL byte. */
export type Values = Readonly<Record<string, string | number>>

/** Parameters of actions that are program text: nothing from a request may stand in them. */
export const programFields: readonly `${ActionName}.${string}`[] = ['script.body', 'file_patch.patch']
