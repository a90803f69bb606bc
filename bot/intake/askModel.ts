import type { Update } from 'grammy/types'
import { RateLimit } from '../../core/doors/rateLimit.ts'
import { meetPerson } from '../../core/people/people.ts'
import { matchOne } from '../../core/planning/matchPlaybook.ts'
import { tidyRequest } from '../../core/planning/tidyRequest.ts'
import { readLogTail, viewRun } from '../../core/runs/viewRun.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { tellFault } from '../../core/storage/tellFault.ts'
import { estimate, pastTimes } from '../../core/talk/howLong.ts'
import type { Topic } from '../../core/talk/questions.ts'
import { type Reading, readByModel, soundsEnglish, soundsLikeQuestion } from '../../core/talk/readByModel.ts'
import { askedAbout, talkRuns } from '../../core/talk/runsMeant.ts'
import { understand } from '../../core/talk/understand.ts'
import { renderAnswer } from '../render/answers.ts'
import { plain } from '../render/html.ts'
import { helpFacts } from '../render/smallTalk.ts'
import type { BotDeps } from '../turn.ts'
import { partiesOf } from './partiesOf.ts'

/** A model that takes longer is not waited for: the rules answer. */
export const READ_MS = 6000
/** How many of one person's messages a model reads in a minute; the rules read the rest. */
const PER_MINUTE = 12
const MOST_RUNS = 3
const told: Topic[] = [
  'progress',
  'failed',
  'why',
  'eta',
  'changed',
  'approver',
  'asker',
  'next',
  'waiting',
  'where',
  'cost',
]

/**
 * Who asks a language model about messages, one at a time for each: what the rules know needs none, and neither does
 * what a playbook understands.
 */
export function createReader(deps: BotDeps) {
  const limit = new RateLimit({ perSecond: PER_MINUTE / 60, burst: PER_MINUTE })
  return {
    /** Whether a model is worth asking what this text is, or for the words of its answer. */
    isWorth: (text: string): boolean => {
      if (!deps.model || text.startsWith('/')) return false
      const said = understand(text)
      return said.kind === 'question'
        ? !soundsEnglish(text)
        : said.kind === 'request' && soundsLikeQuestion(text) && !isKnown(deps, text)
    },

    /** Whether there is one more question for this person now; it counts as asked. */
    take: (key: string): boolean => limit.take(key) === 0,

    /** What the model takes the message for; null when it gives no answer in time, or nobody waits for it. Throws nothing. */
    read: async (update: Update, unwanted: AbortSignal): Promise<Reading | null> => {
      const text = update.message?.text
      if (!deps.model || text === undefined) return null
      try {
        const { from, chat, topicId } = partiesOf(update)
        if (!from || !chat) return null
        const person = await meetPerson(deps.db, { id: from.id, name: from.first_name }, deps.ownerIds)
        const facts = await factsFor(deps, { personId: person.id, chatId: chat.id, topicId })
        return await readByModel(deps.model, {
          text,
          facts,
          personId: person.id,
          signal: AbortSignal.any([AbortSignal.timeout(READ_MS), unwanted]),
        })
      } catch (error) {
        tellFault(deps.log, 'reading a message', error)
        return null
      }
    },
  }
}

/** The updates that a model is being asked about. A stop word leaves them out; the end of this bot leaves them to the next. */
export function createReadings() {
  const open = new Map<number, { key: string; over: AbortController }>()
  let stopped = false
  return {
    has: (updateId: number): boolean => open.has(updateId),
    idsOf: (key: string): number[] => [...open].flatMap(([id, of]) => (of.key === key ? [id] : [])),
    begin: (
      { update_id, key }: { update_id: number; key: string },
      read: (unwanted: AbortSignal) => Promise<Reading | null>,
      then: (read: Reading | null) => Promise<void>,
    ): void => {
      const over = new AbortController()
      open.set(update_id, { key, over })
      void read(over.signal)
        .then((value) => (stopped ? undefined : then(value)))
        .finally(() => open.delete(update_id))
    },
    /** Nobody waits for these any more: their requests end. */
    leave: (ids: readonly number[]): void => {
      for (const id of ids) open.get(id)?.over.abort(new Error('the message was left out'))
    },
    stop: (): void => {
      stopped = true
      for (const { over } of open.values()) over.abort(new Error('the bot ends'))
    },
  }
}

/** Whether a playbook understands all of a text: then it is a request, and no model is asked. */
function isKnown(deps: BotDeps, text: string): boolean {
  const tidy = tidyRequest(text)
  return deps.playbooks.some((playbook) => matchOne(playbook, tidy) !== null)
}

/** What the ledger says of this person's work here, and how the bot is used, as plain text. */
async function factsFor(deps: BotDeps, speaker: Parameters<typeof talkRuns>[1]): Promise<string> {
  const runs = askedAbout(await talkRuns(deps.db, speaker), speaker).slice(0, MOST_RUNS)
  const lines = await Promise.all(runs.map((run) => factsOf(deps, deps.db, run.id)))
  const work = lines.length > 0 ? lines.join('\n\n') : 'No work is going on, and none ended within a day.'
  return `Work\n${work}\n\nThe bot\n${helpFacts()}`
}

async function factsOf(deps: BotDeps, sql: Sql, runId: string): Promise<string> {
  const run = await viewRun(sql, runId)
  if (!run) return ''
  const now = deps.clock.now()
  const context = {
    now,
    tail: await readLogTail(sql, runId, 20),
    estimate: estimate(run, await pastTimes(sql, run), now),
    canFix: false,
  }
  const bodies = told.map((about) => {
    const [, ...rest] = plain(renderAnswer(about, run, context).html).split('\n')
    return about === 'progress'
      ? plain(renderAnswer(about, run, context).html)
      : `${about}: ${rest.join(' ')}`
  })
  return bodies.join('\n').slice(0, 2500)
}
