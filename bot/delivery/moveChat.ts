import type { Bus } from '../../core/queue/bus.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { sayCard } from './say.ts'

type CardRow = { kind: 'run' | 'approval'; run_id: string; approval_id: string | null }

/**
 * A group that became a supergroup has another id: its pairing, runs, memories, places, who may act there, conversations and unsent messages move.
 * Messages of the old group cannot be edited any more, so cards that still live are sent again in the new one.
 * Doing it twice changes nothing.
 */
export async function moveChat(tx: Tx, bus: Bus, from: number, to: number): Promise<void> {
  await tx.query(
    `INSERT INTO chat AS c (id, kind, title, paired_by, paired_at) SELECT $2::bigint, 'supergroup', title, paired_by, paired_at FROM chat WHERE id = $1
     ON CONFLICT (id) DO UPDATE SET paired_by = coalesce(c.paired_by, excluded.paired_by), paired_at = coalesce(c.paired_at, excluded.paired_at)`,
    [from, to],
  )
  await tx.query('UPDATE run SET chat_id = $2 WHERE chat_id = $1', [from, to])
  await tx.query('UPDATE memory SET chat_id = $2 WHERE chat_id = $1', [from, to])
  await tx.query(
    `UPDATE entitlement e SET target = $2 WHERE kind = 'chat' AND target = $1 AND NOT EXISTS
     (SELECT 1 FROM entitlement o WHERE o.person_id = e.person_id AND o.kind = 'chat' AND o.target = $2)`,
    [String(from), String(to)],
  )
  await tx.query(
    `UPDATE place_choice p SET chat_id = $2 WHERE chat_id = $1 AND NOT EXISTS
     (SELECT 1 FROM place_choice o WHERE o.chat_id = $2 AND o.topic_id = p.topic_id AND o.person_id = p.person_id)`,
    [from, to],
  )
  await tx.query(
    `UPDATE conversation_state s SET key = $2::text || substr(key, length($1::text) + 1) WHERE starts_with(key, $1::text || ':')
     AND NOT EXISTS (SELECT 1 FROM conversation_state o WHERE o.key = $2::text || substr(s.key, length($1::text) + 1))`,
    [String(from), String(to)],
  )
  await tx.query(
    `UPDATE delivery SET chat_id = $2::bigint, payload = (payload - 'reply_parameters') || jsonb_build_object('chat_id', $2::bigint) WHERE chat_id = $1 AND status = 'pending'`,
    [from, to],
  )
  await tx.query('UPDATE card SET chat_id = $2 WHERE chat_id = $1 AND message_id IS NULL', [from, to])
  const live = await tx.query<CardRow>(
    "UPDATE card SET state = 'settled' WHERE chat_id = $1 AND state <> 'settled' RETURNING kind, run_id, approval_id, state",
    [from],
  )
  for (const { kind, run_id, approval_id } of live.filter((c) => c.kind === 'run' || c.kind === 'approval'))
    await sayCard(
      tx,
      bus,
      { chatId: to, topicId: 0 },
      {
        kind,
        runId: run_id,
        ...(approval_id ? { approvalId: approval_id } : {}),
        silent: true,
        key: `moved:${approval_id ?? run_id}:${to}`,
      },
    )
}
