import { statSync } from 'node:fs'
import { platform } from 'node:os'
import { z } from 'zod'
import { grantFault } from '../core/protocol/grants.ts'
import { KeyChain, type KeyStatement } from '../core/protocol/keyChain.ts'
import type { ExecutionSpec } from '../core/protocol/specs.ts'
import type { AttemptDeps } from './attemptDeps.ts'
import { changedFile } from './restsOn.ts'
import { findAliases } from './sandbox/aliases.ts'
import { resolveInside } from './sandbox/roots.ts'

/** More at once would starve the machine; the control plane schedules far fewer. */
const MAX_RUNNING = 64

/** Why something does not start: a code of docs/errors.md and a sentence. */
export type Refusal = { code: string; reason: string }
type Asked = { id: string; spec: ExecutionSpec; grant: unknown }

/** Why a dispatch that came for the first time does not start here; null when it may. `now`: how the agent stands. */
export function refusalOf(
  deps: AttemptDeps,
  { id, spec, grant }: Asked,
  now: { running: number; stopping: boolean },
): Refusal | null {
  const { capabilities, journal } = deps
  if (journal.tokens.has(spec.claim_token))
    return { code: 'other_attempt', reason: 'This claim token belongs to another attempt.' }
  const unproven = grantRefusal(deps, { id, spec, grant })
  if (unproven) return unproven
  if (now.stopping) return { code: 'stopping', reason: 'The agent is stopping.' }
  if (now.running >= MAX_RUNNING)
    return { code: 'busy', reason: `The agent already runs ${MAX_RUNNING} attempts.` }
  if (!capabilities.has(spec.action))
    return { code: 'unsupported', reason: `This agent cannot do ${spec.action}.` }
  return (
    secretRefusal(deps, spec.secrets ?? []) ??
    placeRefusal(deps, spec.cwd) ??
    aliasRefusal(deps, spec.owns ?? []) ??
    changedRefusal(deps, spec)
  )
}

function grantRefusal(
  { agentId, machineId, controlKeys }: AttemptDeps,
  { id, spec, grant }: Asked,
): Refusal | null {
  const now = new Date()
  const fault = grantFault(
    grant,
    { spec, executionId: id, agentId, machineId, now },
    controlKeys.follow(chainOf(grant), now),
  )
  if (!fault) return null
  return {
    code: `grant_${fault}`,
    reason: `The grant does not allow this start (${fault.replaceAll('_', ' ')}).`,
  }
}

/** What a grant says of keys; nothing where it does not read as that. */
const chainOf = (grant: unknown): KeyStatement[] =>
  z.object({ chain: KeyChain }).safeParse(grant).data?.chain ?? []

/** A file under another name than the ledger owns it by could be another task's at the same time. */
function aliasRefusal(deps: AttemptDeps, owns: readonly string[]): Refusal | null {
  const found = findAliases(owns, platform())
  const [first] = found
  if (!first) return null
  deps.onAliases(found)
  const reason = `${first.path} leads to ${first.to}; it is asked for again under that name.`
  return { code: 'file_alias', reason: reason.slice(0, 1000) }
}

function secretRefusal(deps: AttemptDeps, names: readonly string[]): Refusal | null {
  const there = new Set(names.length > 0 ? deps.secrets.names() : [])
  const missing = names.find((name) => !there.has(name))
  if (missing === undefined) return null
  return {
    code: 'no_secret',
    reason: `This machine keeps no secret ${missing}. There: skynet agent secret set ${missing}`,
  }
}

/** What people approved rested on what these files held. */
function changedRefusal(deps: AttemptDeps, { rests_on = [] }: ExecutionSpec): Refusal | null {
  const changed = changedFile(deps.bounds, rests_on)
  if (changed === null) return null
  return { code: 'changed', reason: `${changed} has changed since it was approved.`.slice(0, 1000) }
}

function placeRefusal(deps: AttemptDeps, cwd: string): Refusal | null {
  try {
    const real = resolveInside(deps.bounds, '/', cwd)
    const there = statSync(real, { throwIfNoEntry: false })?.isDirectory()
    return there ? null : { code: 'no_directory', reason: `${cwd} is not a directory on this machine.` }
  } catch (error) {
    return { code: 'outside_roots', reason: (error as Error).message.slice(0, 1000) }
  }
}
