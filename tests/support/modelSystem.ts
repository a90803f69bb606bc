import { readModelSettings } from '../../core/config/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { type ModelReply, type ModelServer, startModelServer } from './modelServer.ts'
import { providerEnv } from './providerEnv.ts'
import { draft } from './scriptedModel.ts'
import { type System, startSystem } from './system.ts'

/** All of SKYNET with a language model behind a wire: what it answers is pushed to the server. Stop both. */
export async function startModelSystem(): Promise<{ server: ModelServer; system: System }> {
  const server = await startModelServer()
  const model = await openModel(readModelSettings(providerEnv('openai', server.url)))
  return { server, system: await startSystem({ model }) }
}

/** A reply of the model that is a plan of these steps. */
export const planned = (summary: string, tasks: object[]): ModelReply & { kind: 'answer' } => ({
  kind: 'answer',
  content: draft(summary, tasks),
  tokens_in: 900,
  tokens_out: 80,
})
