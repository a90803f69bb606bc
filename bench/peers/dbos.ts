import { DBOS } from '@dbos-inc/dbos-sdk'
import type { LifecyclePeer } from '../peers.ts'

/** A workflow of two steps: its start, both steps and its end are each committed. */
export async function openDbos(url: string): Promise<LifecyclePeer> {
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error', runAdminServer: false })
  const step = async (): Promise<number> => 1
  const work = DBOS.registerWorkflow(
    async () => (await DBOS.runStep(step, { name: 'claim' })) + (await DBOS.runStep(step, { name: 'run' })),
    { name: 'lifecycle' },
  )
  await DBOS.launch()
  return {
    live: async () => {
      const handle = await DBOS.startWorkflow(work)()
      await handle.getResult()
    },
    done: async () =>
      (await DBOS.listWorkflows({ status: 'SUCCESS', loadInput: false, loadOutput: false })).length,
    close: () => DBOS.shutdown(),
  }
}
