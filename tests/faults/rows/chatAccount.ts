import type { Database } from '../../../core/storage/openDatabase.ts'
import type { Asked } from './chatWork.ts'
import type { Message, Telegram } from './telegram.ts'

/** `repeats`: messages of the chats beyond those that the outbox has sent: each of those once more. */
export type Account = { lost: string[]; twice: string[]; repeats: number; unsent: number }

const isOutcome = ({ text }: Message): boolean => text.includes('succeeded')

/** What was asked in a chat, and the messages in it that tell of that. */
function* told(telegram: Telegram, asked: readonly Asked[]): Generator<[Asked, Message[]]> {
  const byWord = new Map<string, Message[]>()
  for (const message of telegram.messages.values())
    for (const [word] of message.text.matchAll(/\bw\d+w\b/g)) {
      const of = byWord.get(word) ?? []
      if (!of.includes(message)) byWord.set(word, [...of, message])
    }
  for (const one of asked)
    yield [one, (byWord.get(one.word) ?? []).filter(({ chatId }) => chatId === one.chatId)]
}

const final = ([{ kind }, messages]: [Asked, Message[]]): Message[] =>
  kind === 'run' ? messages.filter(isOutcome) : messages

async function open(db: Database): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT ((SELECT count(*) FROM telegram_update WHERE handled_at IS NULL) + (SELECT count(*) FROM delivery WHERE status = 'pending')
     + (SELECT count(*) FROM run WHERE status IN ('planning', 'running')))::int AS n`,
  )
  return row?.n ?? 0
}

/** How much is still under way, and how many messages that were asked for are not there. */
export async function leftToSettle(
  db: Database,
  telegram: Telegram,
  asked: readonly Asked[],
): Promise<number> {
  const untold = [...told(telegram, asked)].filter((one) => final(one).length === 0).length
  return (await open(db)) + untold
}

/** Every run and every final message against what was asked. */
export async function accountOf(db: Database, telegram: Telegram, asked: readonly Asked[]): Promise<Account> {
  const account: Account = { lost: [], twice: [], repeats: 0, unsent: 0 }
  const runs = await db.query<{ request: string; n: number }>(
    'SELECT request, count(*)::int AS n FROM run GROUP BY request',
  )
  const counts = new Map(runs.map(({ request, n }) => [request, n]))
  for (const { word, kind } of asked.filter((one) => one.kind === 'run')) {
    const count = counts.get(`echo ${word}`) ?? 0
    if (count === 0) account.lost.push(`${kind} ${word}: there is no run`)
    if (count > 1) account.twice.push(`${kind} ${word}: ${count} runs`)
  }
  const written = await db.query<{ word: string; n: number }>(
    `SELECT (regexp_match(payload->>'text', 'w\\d+w'))[1] AS word, count(*)::int AS n FROM delivery
     WHERE payload->>'text' ~ 'w\\d+w' GROUP BY 1 HAVING count(*) > 1`,
  )
  for (const { word, n } of written) account.twice.push(`${word}: ${n} messages were written for it`)
  for (const one of told(telegram, asked)) {
    const [{ word, kind }] = one
    const messages = final(one)
    if (messages.length === 0) account.lost.push(`${kind} ${word}: no final message`)
  }
  const outcomes = await db.query<{ run_id: string }>(
    "SELECT run_id FROM card WHERE kind = 'outcome' GROUP BY run_id HAVING count(*) > 1",
  )
  for (const { run_id } of outcomes) account.twice.push(`run ${run_id}: its outcome was told twice`)
  const [outbox] = await db.query<{ sent: number; unsent: number }>(
    "SELECT count(*) FILTER (WHERE status = 'sent')::int AS sent, count(*) FILTER (WHERE status <> 'sent')::int AS unsent FROM delivery WHERE chat_id IS NOT NULL",
  )
  account.unsent = outbox?.unsent ?? 0
  account.repeats = telegram.messages.size - (outbox?.sent ?? 0)
  if (account.repeats < 0) account.lost.push(`${-account.repeats} messages that the outbox takes for sent`)
  return account
}
