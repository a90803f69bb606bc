import type { ActionName, ActionParams } from '../protocol/actions.ts'
import type { PlanSpec, PlanTask } from '../protocol/specs.ts'
import type { PlaceFacts } from './placeFacts.ts'

/** What a look finds out, by the key of its task. */
export const lookNames = {
  files: 'files',
  tracked: 'files that git knows or would take',
  state: 'git state',
  commits: 'last commits',
  manifests: 'manifests',
  system: 'system and tools that are there',
} as const
export type LookName = keyof typeof lookNames

/** Seconds that one task of a look may take. */
const TIMEOUT_S = 5
const TRACKED = 1500
const MANIFEST_BYTES = 6000

const manifests =
  'package.json pyproject.toml requirements.txt setup.py Cargo.toml go.mod Makefile justfile composer.json Gemfile pom.xml build.gradle Dockerfile docker-compose.yml compose.yaml'
const programs =
  'git node npm pnpm yarn bun deno python3 pip3 uv poetry pytest cargo go java mvn gradle ruby bundle php composer make cmake gcc clang docker podman kubectl psql sqlite3 redis-cli curl wget jq rg fd systemctl'

type Look = { [A in ActionName]: { key: LookName; action: A; params: ActionParams<A> } }[ActionName]

const shell = (key: LookName, command: string): Look => ({ key, action: 'shell', params: { command } })

/** Everything worth a look at a place. Commands are POSIX, so that a Windows machine is only listed and asked of git. */
function looksAt(place: PlaceFacts): Look[] {
  const posix = !/^win/i.test(place.platform)
  const git = place.repository !== null
  return [
    { key: 'files', action: 'file_list', params: { depth: git ? 1 : 2 } },
    ...(git ? [{ key: 'state', action: 'git_status', params: {} } as const] : []),
    ...(git && posix
      ? [
          shell('tracked', `git ls-files --cached --others --exclude-standard | head -n ${TRACKED}`),
          shell('commits', 'git log --oneline -n 5 || true'),
        ]
      : []),
    ...(posix
      ? [
          shell('manifests', `head -c ${MANIFEST_BYTES} ${manifests} 2>/dev/null || true`),
          shell('system', `uname -srm; type ${programs} 2>/dev/null || true`),
        ]
      : []),
  ]
}

/**
 * The read-only tasks that look at a place before a model is asked: its files, the state and the last commits of its
 * repository, manifests, the system and which tools are there. They need not wait for each other. Null when the agent
 * can do none of them. Pure.
 */
export function lookTasks(place: PlaceFacts): PlanSpec | null {
  const tasks = looksAt(place)
    .filter(({ action }) => place.capabilities.includes(action))
    .map(
      ({ key, action, params }): PlanTask => ({
        key,
        title: lookNames[key],
        depends_on: [],
        spec: {
          action,
          params,
          agent_id: place.agentId,
          machine_id: place.machineId,
          cwd: place.cwd,
          required_files: [],
          timeout_s: TIMEOUT_S,
          network: false,
        },
      }),
    )
  return tasks.length === 0 ? null : { version: 1, summary: 'A look at the place', milestones: [], tasks }
}
