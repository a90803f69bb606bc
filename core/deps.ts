import type { KeyObject } from 'node:crypto'
import type { Logger } from './config/logger.ts'
import type { Model } from './llm/model.ts'
import type { MemoryAccess } from './memory/openMemory.ts'
import type { Playbook } from './planning/playbook.ts'
import type { Policy } from './policy/policySchema.ts'
import type { KeyStatement } from './protocol/keyChain.ts'
import type { Bus } from './queue/bus.ts'
import type { Wake } from './queue/jobs.ts'
import type { Limits } from './recovery/ladder.ts'
import type { SkillSources } from './skills/sources.ts'
import type { Database } from './storage/openDatabase.ts'

/** The clock, so that tests can set it. Leases and expiry go by PostgreSQL's clock, never by this one. */
export type Clock = { now(): Date }

/** How long things are kept, and how much of them: ages in milliseconds, sizes in bytes. */
export type Retention = {
  /** Events of a run, after its end. */
  eventsMs: number
  eventsMaxBytes: number
  /** An ended run's log, in the ledger or in the archive. */
  logsMs: number
  /** An ended run's log goes from the ledger to the archive after this, or when the ledger has more than that. */
  archiveAfterMs: number
  logsMaxBytes: number
  archiveMaxBytes: number
}

/** What the control plane's functions may ask for; each takes only what it uses, by `Pick`. */
export type Deps = {
  db: Database
  bus: Bus
  wake: Wake
  log: Logger
  clock: Clock
  policy: Policy
  playbooks: readonly Playbook[]
  model: Model | null
  /** How memories are looked for; null or left out: memory is switched off. */
  memory?: MemoryAccess | null
  /** The private key that signs grants. */
  signingKey: KeyObject
  /** How that key follows from those before it; it goes with every grant. */
  keyChain?: readonly KeyStatement[]
  /** Bearer token of every gateway. */
  gatewayToken: string
  /** Takes secrets out of a text: known formats and the values this installation was set up with. */
  redact: (text: string) => string
  settings: {
    approvalTtlMs: number
    /** Messages and taps that one person may send in a minute; a chat three times that. */
    chatPerMinute: number
    /** How many different people must approve what is of critical risk. */
    approvalQuorum: number
    /** Who asked, or rewrote the plan, cannot approve it. */
    fourEyes: boolean
    unreachableAfterMs: number
    /** What follows by itself after a failed task, and how much of it. `hasModel`: one can be asked. */
    recovery: Limits & { hasModel: boolean }
    /** Directories no agent on this machine may touch: the data directory. */
    denyPaths: readonly string[]
    /** Where skills are looked for. */
    skills: SkillSources
    /** Where this process keeps logs of ended runs, or would. */
    archiveDir: string
    /** Where this process notes heads of the audit trail. */
    headsFile: string
    retention: Retention
  }
}
