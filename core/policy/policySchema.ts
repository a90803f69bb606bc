import { z } from 'zod'
import { places } from './paths/classifyPath.ts'
import { decisions, risks } from './verdict.ts'

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((one) => [one]), z.array(item).min(1)])
const words = oneOrMore(z.string().min(1).max(200))

/** What a fact must be like for a rule to judge it. Every line given must hold; of a list, one is enough. */
const WhenSchema = z
  .strictObject({
    /** Such as `fs.delete-tree`; `git.*` for all that start so. */
    effect: words.optional(),
    place: oneOrMore(z.enum(places)).optional(),
    program: words.optional(),
    /** `test`, or `compose up` for one below another. */
    subcommand: words.optional(),
    /** As written in the command: `--force`, `-f`. */
    option: words.optional(),
    network: z.boolean().optional(),
  })
  .refine(
    (when) => Object.keys(when).length > 0,
    'needs at least one of effect, place, program, subcommand, option, network',
  )

const RuleSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/, 'takes lower-case words with a dot, such as my.npm-test')
      .refine(
        (id) => !id.startsWith('floor.'),
        'cannot start with floor.: the floor is not for policy files',
      ),
    verdict: z.enum(decisions),
    risk: z.enum(risks),
    reason: z.string().min(1).max(80),
    when: oneOrMore(WhenSchema),
    match: z.array(z.string()).max(50).optional(),
    not_match: z.array(z.string()).max(50).optional(),
  })
  .refine(
    (rule) => rule.verdict !== 'allow' || rule.risk === 'low' || rule.risk === 'medium',
    'an allow takes risk low or medium',
  )

/** A policy file. */
export const PolicyFileSchema = z.strictObject({
  version: z.literal(1),
  /** The built-in rules follow after the file's own, unless this says `nothing`. */
  extends: z.enum(['built-in', 'nothing']).optional(),
  /** For what no rule judges. */
  defaults: z
    .strictObject({
      verdict: z.enum(['ask', 'deny']),
      risk: z.enum(risks),
      reason: z.string().min(1).max(80),
    })
    .optional(),
  rules: z.array(RuleSchema).max(1000),
})

export type PolicyFile = z.infer<typeof PolicyFileSchema>
export type Rule = PolicyFile['rules'][number]
export type When = Rule['when'][number]

/** A policy ready to judge by. `version` is the first 16 hex digits of the SHA-256 of all its text. */
export type Policy = {
  readonly version: string
  readonly source: string
  readonly rules: readonly Rule[]
  readonly defaults: NonNullable<PolicyFile['defaults']>
}
