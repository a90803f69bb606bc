import { z } from 'zod'
import { testTools } from '../protocol/actions.ts'

/**
 * What a model may propose, in the words it is told. Smaller than a PlanSpec: it names no agent and no hash. Every
 * field is required and may be null, as strict structured output wants it.
 */
const Call = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('shell'), command: z.string() }).describe('one POSIX sh command line'),
  z.strictObject({ action: z.literal('run_tests'), tool: z.enum(['auto', ...testTools]) }),
  z.strictObject({ action: z.literal('file_read'), path: z.string() }),
  z.strictObject({ action: z.literal('file_list'), path: z.string().nullable() }),
  z
    .strictObject({ action: z.literal('file_write'), path: z.string(), content: z.string() })
    .describe('writes the whole file'),
  z
    .strictObject({ action: z.literal('file_patch'), patch: z.string() })
    .describe('unified diff, paths from the directory'),
  z.strictObject({ action: z.literal('git_status') }),
  z.strictObject({ action: z.literal('git_diff') }),
  z.strictObject({
    action: z.literal('git_commit'),
    message: z.string(),
    paths: z.array(z.string()).nullable(),
  }),
])

/** Words for people: told to the model as required, and done without where an answer lacks them. */
const note = (what: string) => z.string().nullable().optional().describe(what)

const DraftTask = z.strictObject({
  key: z.string().describe('short and unique: 1, 2, 3'),
  title: z.string().describe('what it does in plain words, at most 30 characters'),
  reason: z.string().describe('why it is needed, one sentence'),
  call: Call,
  directory: z.string().nullable().describe('where it runs; null: the directory of the place'),
  depends_on: z.array(z.string()).describe('keys of tasks that must have succeeded before'),
  milestone: z.string().nullable(),
  writes: z.array(z.string()).describe('files or directories it changes; empty when it only reads'),
  network: z.boolean(),
  timeout_s: z.number().describe('seconds'),
  expects: note('what is different or known once it has succeeded, one sentence'),
  check: note('how to see that it worked; null when it only looks'),
  undo: note('how to take it back; null when nothing changes or nothing can'),
})

export const PlanDraft = z.strictObject({
  /** Why there is no plan; null when there is one. */
  cannot: z
    .string()
    .nullable()
    .describe('null, or one sentence why this cannot be planned; then tasks is empty'),
  summary: z.string().describe('what will be done, at most 60 characters'),
  milestones: z.array(z.strictObject({ key: z.string(), title: z.string() })),
  tasks: z.array(DraftTask),
})
export type PlanDraft = z.infer<typeof PlanDraft>
export type DraftTask = z.infer<typeof DraftTask>
