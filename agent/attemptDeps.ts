import type { Logger } from '../core/config/logger.ts'
import type { ActionName } from '../core/protocol/actions.ts'
import type { PathAlias } from '../core/protocol/frames.ts'
import type { ControlKeys } from './controlKeys.ts'
import type { Delivery } from './deliver.ts'
import type { Redacting } from './execute/lines.ts'
import type { OutputLimits } from './execute/output.ts'
import type { Journal } from './journal/journal.ts'
import type { Sandbox } from './sandbox/containment.ts'
import type { Limits } from './sandbox/limits.ts'
import type { PipePool } from './sandbox/pipes.ts'
import type { Bounds } from './sandbox/roots.ts'
import type { SecretStore } from './secretStore.ts'

/** What attempts need of the agent they run in. */
export type AttemptDeps = {
  agentId: string
  machineId: string
  /** The keys whose grants count. */
  controlKeys: ControlKeys
  bounds: Bounds
  /** The agent's own directory. */
  agentDir: string
  sandbox: Sandbox
  /** What all processes of one command may take together. */
  treeLimits: Limits
  pipes: PipePool
  capabilities: ReadonlySet<ActionName>
  journal: Journal
  delivery: Delivery
  redact: (text: string) => string
  /** What output passes on its way to the journal. */
  redacting: Redacting
  limits: OutputLimits
  /** What tasks are given by name. */
  secrets: SecretStore
  log: Logger
  env: NodeJS.ProcessEnv
  /** Links were found that the ledger did not know: it is told at once. */
  onAliases(found: PathAlias[]): void
  /** An attempt ended: facts may have changed. */
  onEnd(): void
}
