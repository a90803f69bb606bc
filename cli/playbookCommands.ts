import type { Env } from '../core/config/settings.ts'
import { renameGuide } from '../core/guides/reviewGuide.ts'
import { playbookName } from '../core/learning/keepRun.ts'
import { commandLine } from '../core/people/actor.ts'
import { loadPlaybooks } from '../core/planning/loadPlaybooks.ts'
import { withLedger } from './openLedger.ts'
import { UsageError } from './reportError.ts'

/** `skynet playbooks rename NAME NEW`. */
export async function renamePlaybookCommand(env: Env, name: string, to: string): Promise<void> {
  const wanted = playbookName(to)
  if (wanted === null) throw new UsageError(`${to} is no name; one is such as deploy-site.`)
  await withLedger(env, async ({ db, config }) => {
    const shipped = await loadPlaybooks(config.playbooksDir)
    if (shipped.some((playbook) => playbook.name === wanted))
      throw new UsageError(`${wanted} is the name of a playbook that goes before learned ones. Take another.`)
    const done = await db.tx((tx) => renameGuide(tx, { kind: 'playbook', name }, wanted, commandLine()))
    if (done === 'taken') throw new UsageError(`there is a playbook ${wanted} already. Take another name.`)
    if (done === 'unknown')
      throw new UsageError(`there is no playbook ${name}. \`skynet playbooks list\` shows them.`)
    console.log(`${name} is called ${wanted} now.`)
  })
}
