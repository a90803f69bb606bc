import { mkdirSync, statSync } from 'node:fs'
import type { AgentConfig } from './agent.ts'
import { ConfigError } from './settings.ts'

type Roots = Pick<AgentConfig, 'roots' | 'workspace'>

/** Makes the default workspace where it is wanted and not there. Throws ConfigError for the first other root that is missing. */
export function openRoots({ roots, workspace }: Roots): void {
  if (roots.includes(workspace)) mkdirSync(workspace, { recursive: true })
  const [missing] = missingRoots({ roots, workspace })
  if (missing !== undefined)
    throw new ConfigError(
      `SKYNET_AGENT_ROOTS: got ${JSON.stringify(missing)}, which is no directory here; it takes directories that are there. Make it, or correct the setting.`,
    )
}

/** The roots that no work can be done in: not there, or no directories. The default workspace is made when it is wanted. */
export const missingRoots = ({ roots, workspace }: Roots): string[] =>
  roots.filter((root) => root !== workspace && !statSync(root, { throwIfNoEntry: false })?.isDirectory())
