import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { type ExecutionSpec, type PlanSpec, TaskSpec } from './specs.ts'

/** RFC 8785 canonical JSON of a value that JSON can hold. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('this value has no JSON form')
  return text
}

export const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** SHA-256 (hex) of the canonical spec without the attempt's fields: what was approved is what may start. */
export function specHash(spec: TaskSpec | ExecutionSpec): string {
  const {
    run_id: _r,
    task_id: _t,
    claim_token: _c,
    owns: _o,
    inputs: _i,
    ...approved
  } = spec as ExecutionSpec
  return sha256(canonicalJson(TaskSpec.parse(approved)))
}

/** SHA-256 (hex) of what is the attempt's own in a spec besides its ids: run, files taken, what it is handed. */
export const attemptHash = ({
  run_id,
  owns = [],
  inputs = [],
}: Pick<ExecutionSpec, 'run_id' | 'owns' | 'inputs'>): string =>
  sha256(canonicalJson({ run_id, owns, inputs }))

/** SHA-256 (hex) over the specHashes, the graph and the policy's version: what one approval is bound to. */
export function planHash(plan: PlanSpec, policyVersion: string): string {
  const tasks = plan.tasks.map((t) => ({
    key: t.key,
    depends_on: [...t.depends_on].sort(),
    milestone: t.milestone ?? null,
    spec: specHash(t.spec),
  }))
  return sha256(canonicalJson({ policy: policyVersion, tasks }))
}
