import { z } from 'zod'
import { ActionNameSchema, testTools } from './actions.ts'
import { Grant } from './grants.ts'
import { AgentId, AttemptId, Sha256 } from './ids.ts'
import { ExecutionSpec } from './specs.ts'

/** A frame larger than this (bytes of JSON) closes the connection. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024
/** Most characters of text in one `log` frame; longer output comes in several. */
export const MAX_LOG_TEXT = 16_384

const Stamp = z.iso.datetime()

/** A git repository under one of the agent's roots: the short name people use for the place. */
export const Repository = z.strictObject({
  name: z.string().min(1).max(100),
  /** Absolute path. */
  path: z.string().min(1).max(4096),
  /** Test tools whose manifest is there, in order of preference. */
  test_tools: z.array(z.enum(testTools)),
  /** Names of the package scripts there (npm), at most 50. */
  scripts: z.array(z.string().max(100)).max(50),
})
export type Repository = z.infer<typeof Repository>

/** Links that an agent tells of at most. */
export const MAX_LINKS = 200

/** A path that is a symbolic link, and the real one behind it. */
export const PathAlias = z.strictObject({
  path: z.string().min(1).max(4096),
  to: z.string().min(1).max(4096),
})
export type PathAlias = z.infer<typeof PathAlias>

/**
 * How an attempt is held: `bwrap` confines what it sees and reaches, and ends all of its processes; `unshare` only ends
 * them; `group` is best effort.
 */
export const Containment = z.enum(['bwrap', 'unshare', 'group'])
export type Containment = z.infer<typeof Containment>

/** What confines the commands of an agent beside their view of files and network; none: they are not confined. */
export const Confined = z.strictObject({
  /** Dangerous system calls are refused. */
  calls: z.boolean(),
  /** Memory of a process, and of all of them together, and size of a file are limited. */
  limits: z.boolean(),
  /** The number of processes is limited. */
  processes: z.boolean(),
  /** With the network, abstract sockets of other programs are out of reach all the same. */
  sockets: z.boolean(),
})
export type Confined = z.infer<typeof Confined>

/** What an agent tells of itself; sent in `hello` and again whenever it changes. */
export const AgentFacts = z.strictObject({
  name: z.string().min(1).max(64),
  machine_id: z.string().min(1).max(128),
  platform: z.string().max(64),
  home: z.string().max(4096),
  /** Absolute directories it may work in, links resolved. */
  roots: z.array(z.string().min(1).max(4096)).min(1).max(64),
  repositories: z.array(Repository).max(200),
  capabilities: z.array(ActionNameSchema).max(64),
  containment: Containment,
  confined: Confined.optional(),
  /** Attempts running now, the one-minute load average, and what it is to be measured by. */
  load: z.strictObject({
    running: z.int().min(0),
    average: z.number().min(0),
    cores: z.int().min(1).optional(),
  }),
  /** Directories and files under the roots that are symbolic links, and where they lead, all links resolved. */
  links: z.array(PathAlias).max(MAX_LINKS).optional(),
  /** It can say what files hold (`inspect`). */
  inspects: z.boolean().optional(),
  version: z.string().max(64),
})
export type AgentFacts = z.infer<typeof AgentFacts>

export const ResultStatus = z.enum(['succeeded', 'failed', 'timeout', 'cancelled'])

/** How an attempt ended. `output_lost` counts bytes that the limits cut out of the middle. */
export const ExecutionResult = z.strictObject({
  status: ResultStatus,
  exit_code: z.int().nullable(),
  signal: z.string().max(16).nullable(),
  /** What came out, for the card: at most 4,000 characters, redacted. */
  summary: z.string().max(4000),
  output_bytes: z.int().min(0),
  output_lost: z.int().min(0),
  duration_ms: z.int().min(0),
  error: z.string().max(2000).nullable(),
  /** Paths the action changed, where it knows them. */
  changed: z.array(z.string().max(4096)).max(200),
})
export type ExecutionResult = z.infer<typeof ExecutionResult>

const ofAttempt = { execution_id: AttemptId, seq: z.int().min(1), at: Stamp }

/** Frames of an attempt: journalled by the agent, numbered from 1, sent until the ledger has acknowledged them. */
export const AttemptFrame = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('accepted'), ...ofAttempt }),
  z.strictObject({
    type: z.literal('refused'),
    ...ofAttempt,
    code: z.string().max(64),
    reason: z.string().max(1000),
  }),
  z.strictObject({
    type: z.literal('started'),
    ...ofAttempt,
    pid: z.int().nullable(),
    containment: Containment,
  }),
  z.strictObject({
    type: z.literal('log'),
    ...ofAttempt,
    stream: z.enum(['stdout', 'stderr', 'system']),
    text: z.string().max(MAX_LOG_TEXT),
  }),
  z.strictObject({
    type: z.literal('progress'),
    ...ofAttempt,
    text: z.string().max(500),
    fraction: z.number().min(0).max(1).nullable(),
  }),
  z.strictObject({ type: z.literal('result'), ...ofAttempt, result: ExecutionResult }),
  z.strictObject({ type: z.literal('exited'), ...ofAttempt }),
  /** The agent restarted and found the attempt begun and without an end; it is never started again. */
  z.strictObject({ type: z.literal('lost'), ...ofAttempt }),
])
export type AttemptFrame = z.infer<typeof AttemptFrame>

/** An attempt the agent still has: running, or ended with frames the ledger has not acknowledged. */
export const HeldAttempt = z.strictObject({
  execution_id: AttemptId,
  state: z.enum(['alive', 'unacknowledged']),
})

/** Differs from one start of an agent to the next: hellos of one session come from one process, which lost nothing. */
export const AgentSession = z.string().min(8).max(64)

export const Hello = z.strictObject({
  type: z.literal('hello'),
  agent_id: AgentId,
  session: AgentSession.optional(),
  credential: z.string().min(16).max(256),
  facts: AgentFacts,
  attempts: z.array(HeldAttempt).max(10_000),
})
export type Hello = z.infer<typeof Hello>

/** Characters of a file's text that are told at most. */
export const MAX_INSPECTED_TEXT = 8192

/**
 * What a file holds, by hash; null: it is not there, or not to be looked at. `text`: what it says, for people, where it
 * is small and plain; redacted, so that its hash need not be the file's.
 */
export const InspectedFile = z.strictObject({
  path: z.string().max(4096),
  sha256: Sha256.nullable(),
  size: z.int().min(0).optional(),
  text: z.string().max(MAX_INSPECTED_TEXT).optional(),
})
export type InspectedFile = z.infer<typeof InspectedFile>

/** What an agent may send. `hello` is the first frame; `facts` follows whenever they change. */
export const AgentFrame = z.union([
  Hello,
  z.strictObject({ type: z.literal('facts'), facts: AgentFacts }),
  AttemptFrame,
  z.strictObject({ type: z.literal('inspected'), id: z.int(), files: z.array(InspectedFile).max(64) }),
  z.strictObject({ type: z.literal('ping'), id: z.int() }),
  z.strictObject({ type: z.literal('pong'), id: z.int() }),
])
export type AgentFrame = z.infer<typeof AgentFrame>

/** What a gateway may send. */
export const GatewayFrame = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('welcome'), agent_id: AgentId }),
  z.strictObject({ type: z.literal('dispatch'), execution_id: AttemptId, spec: ExecutionSpec, grant: Grant }),
  /** Everything of the attempt up to `seq` is in the ledger; the journal may forget it. */
  z.strictObject({ type: z.literal('ack'), execution_id: AttemptId, seq: z.int().min(1) }),
  /** The ledger has the result; the agent may forget the attempt when its journal's time is up. */
  z.strictObject({ type: z.literal('result_ack'), execution_id: AttemptId }),
  z.strictObject({ type: z.literal('cancel'), execution_id: AttemptId }),
  /** What do these files hold? Answered with `inspected` of the same id; only for agents that say they can. */
  z.strictObject({
    type: z.literal('inspect'),
    id: z.int(),
    paths: z.array(z.string().min(1).max(4096)).max(64),
  }),
  z.strictObject({ type: z.literal('ping'), id: z.int() }),
  z.strictObject({ type: z.literal('pong'), id: z.int() }),
])
export type GatewayFrame = z.infer<typeof GatewayFrame>
