import { storeButtons } from '../../../bot/delivery/say.ts'
import { buttonId } from '../../../bot/render/buttons.ts'
import type { Control } from '../../../cli/openControl.ts'
import { setPlace } from '../../../core/fleet/choosePlace.ts'
import { registerGateway } from '../../../core/fleet/registerGateway.ts'
import { meetPerson } from '../../../core/people/people.ts'
import {
  accepted,
  addMachine,
  exited,
  FakeGateway,
  report,
  result,
  started,
  type TestMachine,
} from '../../support/fleet.ts'
import type { Random } from '../random.ts'

export const PEOPLE = Array.from({ length: 60 }, (_, i) => 2_000_001 + i)
const BEAT_MS = 5000

/** What somebody asked in a chat: something that is answered at once, or a run. `word` is in whatever comes of it. */
export type Asked = { word: string; kind: 'question' | 'tap' | 'run'; chatId: number; update: object }

/** A machine whose work is done the moment it is begun; nothing is executed. */
export async function quickMachine({
  deps,
}: Control): Promise<{ machine: TestMachine; close(): Promise<void> }> {
  const gateway = await new FakeGateway().start()
  const machine = await addMachine(deps, { name: 'laptop', gatewayUrl: gateway.url })
  gateway.onAction = ({ execution_id }) => {
    const claim = { attemptId: execution_id, agentId: machine.agentId }
    const again = (): void => void setTimeout(() => gateway.onAction({ execution_id } as never), 500)
    report(deps, claim, accepted(), started(), result('succeeded'), exited()).catch(again)
  }
  const beat = { gateway_id: machine.gatewayId, name: 'gateway', url: gateway.url, agents: [machine.agentId] }
  const timer = setInterval(() => void registerGateway(deps, beat).catch(() => {}), BEAT_MS)
  for (const id of PEOPLE) {
    const person = await meetPerson(deps.db, { id, name: `P${id}` }, [...PEOPLE])
    const place = { agentId: machine.agentId, cwd: machine.root }
    await setPlace(deps.db, { chatId: id, topicId: 0, personId: person.id }, place)
  }
  return {
    machine,
    close: async () => {
      clearInterval(timer)
      await gateway.stop()
    },
  }
}

/** What people write and tap, `count` updates. */
export async function askings({ deps }: Control, random: Random, count: number): Promise<Asked[]> {
  const all: Asked[] = []
  for (let i = 1; i <= count; i++) {
    const [chatId, word] = [random.pick(PEOPLE), `w${i}w`]
    const kind = random.chance(0.3) ? 'run' : random.chance(0.3) ? 'tap' : 'question'
    const from = { id: chatId, is_bot: false, first_name: `P${chatId}` }
    const chat = { id: chatId, type: 'private', first_name: from.first_name }
    const text = kind === 'run' ? `/run echo ${word}` : `/policy echo ${word}`
    const message = { message_id: 1_000_000 + i, date: 0, chat, from }
    if (kind === 'tap') {
      const action = { do: 'say' as const, text }
      await storeButtons(deps.db, [[{ text: 'Again', action }]])
      const query = {
        id: `q${i}`,
        from,
        chat_instance: '1',
        data: buttonId(action),
        message: { ...message, text: 'hi' },
      }
      all.push({ word, kind, chatId, update: { update_id: i, callback_query: query } })
    } else {
      const entities = [{ type: 'bot_command', offset: 0, length: text.indexOf(' ') }]
      all.push({ word, kind, chatId, update: { update_id: i, message: { ...message, text, entities } } })
    }
  }
  return all
}
