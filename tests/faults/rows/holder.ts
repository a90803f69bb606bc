import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/*
 * An outside agent: fetches tasks by REST, begins them, completes them, one after the other. The title of a task says
 * what comes over it on the way. Whatever it does, and what it was answered, goes to one file that all holders share.
 */

export type HolderArgs = { agent: string; urls: string[]; token: string; file: string }
/** What a task does to its holder: nothing; it dies of it, before or after it began; it forgets it; it is stopped for long. */
export type Title = 'fine' | 'dies claimed' | 'dies started' | 'forgets' | 'stops claimed' | 'stops started'
type Claimed = {
  task: { task_id: string; title: Title; attempts_made: number }
  execution_id: string
  claim_token: string
}

const { agent, urls, token, file } = JSON.parse(process.argv[2] ?? '{}') as HolderArgs
const IDLE_MS = 100
let turn = process.pid

/** The answer's status and body, from one API or another; again and again until one is there. */
async function call(path: string, body: object): Promise<{ status: number; body: unknown }> {
  for (;;) {
    try {
      const response = await fetch(`${urls[turn++ % urls.length]}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ agent_id: agent, ...body }),
        signal: AbortSignal.timeout(5000),
      })
      const text = await response.text()
      if (response.status < 500 && response.status !== 429)
        return { status: response.status, body: text === '' ? null : JSON.parse(text) }
    } catch {
      // Nobody is there now.
    }
    await delay(100)
  }
}

async function work({ task, execution_id, claim_token }: Claimed): Promise<void> {
  const note = (what: string): void =>
    appendFileSync(file, `${task.task_id} ${execution_id} ${process.pid} ${what}\n`)
  /** What is said counts as `word`, when it is taken. */
  const say = async (path: string, word: string, body: object = {}): Promise<boolean> => {
    const { status } = await call(`/v1/tasks/${task.task_id}/${path}`, { claim_token, ...body })
    note(status === 200 ? word : `refused ${word}`)
    return status === 200
  }
  const stop = async (): Promise<void> => {
    note('stopped')
    process.kill(process.pid, 'SIGSTOP')
    await delay(0)
  }
  const isFirst = task.attempts_made === 1
  note('claimed')
  if (task.title === 'dies claimed') process.kill(process.pid, 'SIGKILL')
  if (task.title === 'forgets') return
  if (task.title === 'stops claimed' && isFirst) await stop()
  if (!(await say('start', 'started'))) return
  if (task.title === 'dies started') process.kill(process.pid, 'SIGKILL')
  if (task.title === 'stops started' && isFirst) await stop()
  await say('complete', 'completed', { status: 'succeeded', result: 'done' })
}

// Nobody is left who counts.
process.stdin.on('end', () => process.exit()).resume()

for (;;) {
  const { status, body } = await call('/v1/tasks/claim', {})
  if (status === 200) await work(body as Claimed)
  else await delay(IDLE_MS)
}
