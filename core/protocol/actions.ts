import { z } from 'zod'

/** A path as a person writes it: relative to the task's directory, `~/...` or absolute; never with a NUL byte. */
const Path = z
  .string()
  .min(1)
  .max(4096)
  .refine((p) => !p.includes('\0'), 'a path cannot contain a NUL byte')
const NoNul = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\0'), 'text cannot contain a NUL byte')

export const testTools = ['npm', 'pytest', 'cargo', 'go', 'make'] as const
export type TestTool = (typeof testTools)[number]
export const interpreters = ['sh', 'bash', 'python3', 'node', 'perl', 'ruby'] as const

/**
 * What each action takes. The agent checks these again before it starts anything; risk, effect and required
 * files of an action are the control plane's business and stand in core/actions.
 */
export const actionParams = {
  /**
   * One command line in the task's directory. `argv`: the same as program and arguments, where it is as plain as that;
   * policy puts it there (never the asker), and the agent starts it without a shell. Without it: `sh -c`.
   */
  shell: z.strictObject({
    command: NoNul(32_768).min(1),
    argv: z.array(NoNul(32_768)).min(1).max(4097).optional(),
  }),
  /** A program text for an interpreter, handed over as a file, never as an argument. */
  script: z.strictObject({
    interpreter: z.enum(interpreters),
    body: NoNul(262_144).min(1),
    args: z.array(NoNul(4096)).max(64).optional(),
  }),
  file_read: z.strictObject({ path: Path, max_bytes: z.int().min(1).max(4_194_304).optional() }),
  /** `create` fails when the file is there, `replace` (the default) writes it whole. */
  file_write: z.strictObject({
    path: Path,
    content: z.string().max(1_048_576),
    mode: z.enum(['create', 'replace']).optional(),
  }),
  /** A unified diff with paths relative to the task's directory; applied whole or not at all. */
  file_patch: z.strictObject({ patch: NoNul(1_048_576).min(1) }),
  file_list: z.strictObject({ path: Path.optional(), depth: z.int().min(1).max(8).optional() }),
  git_init: z.strictObject({ path: Path.optional() }),
  git_status: z.strictObject({}),
  git_diff: z.strictObject({
    ref: z
      .string()
      .regex(/^[A-Za-z0-9][\w./~^@{}-]{0,199}$/)
      .optional(),
    staged: z.boolean().optional(),
    path: Path.optional(),
  }),
  /** Commits `paths`, or without them everything that changed. */
  git_commit: z.strictObject({
    message: NoNul(10_000).min(1),
    paths: z.array(Path).min(1).max(200).optional(),
  }),
  /** `auto` takes the first tool whose manifest is in the directory, in the order of `testTools`. */
  run_tests: z.strictObject({
    tool: z.enum(['auto', ...testTools]),
    args: z.array(NoNul(1024)).max(32).optional(),
  }),
  noop: z.strictObject({ ms: z.int().min(0).max(600_000).optional() }),
} as const

export type ActionName = keyof typeof actionParams
export const actionNames = Object.keys(actionParams) as [ActionName, ...ActionName[]]
export const ActionNameSchema = z.enum(actionNames)
export type ActionParams<A extends ActionName = ActionName> = z.infer<(typeof actionParams)[A]>

/** An action with parameters that fit it: a union discriminated by `action`. */
export type ActionCall = { [A in ActionName]: { action: A; params: ActionParams<A> } }[ActionName]

const calls = actionNames.map((action) =>
  z.object({ action: z.literal(action), params: actionParams[action] }),
)

/** Checks that `params` fit `action`. Throws a ZodError that names the field. */
export const ActionCallSchema = z.discriminatedUnion(
  'action',
  calls as never,
) as unknown as z.ZodType<ActionCall>
