import { z } from 'zod'
import { agentRef } from '../fleet/outsideAgents.ts'
import { ActionCallSchema, ActionNameSchema } from '../protocol/actions.ts'
import { TaskId } from '../protocol/ids.ts'
import { SecretNames } from '../protocol/secretName.ts'

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((s) => !s.includes('\0'), 'text cannot contain a NUL byte')

/** An agent's id or name; a name that no enrolled agent has is an outside agent's. */
export const AgentRef = z.string().regex(agentRef)

/** A task as a program asks for it. What is left out is chosen: see the docs of each field. */
export const TaskRequest = z
  .strictObject({
    /** Chosen by the caller, so that asking twice makes one task. */
    task_id: TaskId.optional(),
    title: text(120).optional(),
    action: ActionNameSchema,
    params: z.record(z.string(), z.unknown()).default({}),
    /** `push`: SKYNET hands it to an agent; `pull`: an agent fetches it with /tasks/claim. */
    dispatch: z.enum(['push', 'pull']).default('push'),
    /** Tasks that must have succeeded before. */
    dependencies: z.array(TaskId).max(50).default([]),
    /** Files or directories it owns while it runs; relative ones below `cwd`. None: its directory, where it writes. */
    required_files: z.array(text(4096)).max(256).default([]),
    /** Where its files are owned when it has no machine; none: one scope that all such tasks share. */
    ownership_scope: text(100).optional(),
    /** None: the best agent for it (push), or whoever fetches it (pull). */
    agent_id: AgentRef.optional(),
    cwd: text(4096).optional(),
    /** Secrets of its agent's own store, which its process finds as variables. */
    secrets: SecretNames.optional(),
    /** What its agent must be able to do besides the action itself. */
    capabilities: z.array(text(64)).max(32).default([]),
    /** Higher goes first. */
    priority: z.int().min(-1000).max(1000).default(0),
    timeout_s: z.int().min(1).max(86_400).default(3600),
    max_attempts: z.int().min(1).max(20).default(3),
  })
  .superRefine((task, ctx) => {
    const call = ActionCallSchema.safeParse({ action: task.action, params: task.params })
    for (const issue of call.error?.issues ?? [])
      ctx.addIssue({ code: 'custom', path: [...issue.path], message: issue.message })
  })
export type TaskRequest = z.infer<typeof TaskRequest>

/** A task that has its id, chosen by the caller or made. */
export type IdentifiedTask = TaskRequest & { task_id: string }
