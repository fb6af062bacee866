import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at, ms, type Sql } from '../database/sql.ts';

const SETTLED = 'settled:';

/** The name of the mark that holds a queue's highest settled sequence. */
export function settledMark(queue: string): string {
  return SETTLED + queue;
}

/** Raises marks; a lower value changes nothing. */
export async function raiseMarks(sql: Sql, marks: ReadonlyMap<string, number>): Promise<void> {
  if (marks.size === 0) return;
  const rows = [...marks].map(([name, seq]) => ({ name, seq }));
  await sql.run(
    `insert into mark as m (name, seq)
     select name, seq from json_to_recordset($1::json) as x(name text, seq bigint) order by name
     on conflict (name) do update set seq = excluded.seq where excluded.seq > m.seq`,
    [toJson(rows)],
  );
}

/** The highest settled sequence in JOBS of each queue. */
export async function settledMarks(db: Database): Promise<Map<string, number>> {
  const rows = await inside(db).rows<{ queue: string; seq: number }>(
    `select substr(name, ${SETTLED.length + 1}) as queue, seq::float8 as seq from mark where starts_with(name, '${SETTLED}')`,
  );
  return new Map(rows.map(({ queue, seq }) => [queue, seq]));
}

const FORGET_JOBS = `update job set stream_seq = null, reconcile_seq = null
  where id in (
    select id from job where finished_at is null and (stream_seq is not null or reconcile_seq is not null)
    order by id for update)`;
const FORGET_EVENTS = `update job set reconcile_events_seq = null
  where id in (
    select id from job where finished_at is null and reconcile_events_seq is not null
    order by id for update)`;

/**
 * Remembers which stream it is (`JOBS` or `EVENTS`, with its creation in Unix milliseconds) and how far it has come. A new one
 * in its place, or one that has lost its tail, counts its sequences anew: then those that were noted are forgotten in the
 * same transaction.
 * @param params `readAt`: `databaseTime` before the stream was read. What was read before the last note was written may
 *   only be older than that note, and is passed by.
 */
export async function noteStream(
  db: Database,
  params: { stream: string; created: number; lastSeq: number; readAt: number },
): Promise<{ reset: boolean }> {
  const { stream, created, lastSeq, readAt } = params;
  return inside(db).transaction(async (sql) => {
    const before = await sql.row<{ created: number; lastSeq: number; notedAt: number }>(
      `select ${ms('created_at')} as created, last_seq::float8 as "lastSeq", ${ms('noted_at')} as "notedAt"
       from stream_seen where stream = $1 for update`,
      [stream],
    );
    if (before && readAt <= before.notedAt) return { reset: false };
    await sql.run(
      `insert into stream_seen (stream, created_at, last_seq, noted_at) values ($1, ${at('$2')}, $3, clock_timestamp())
       on conflict (stream) do update set created_at = excluded.created_at, last_seq = excluded.last_seq,
         noted_at = excluded.noted_at`,
      [stream, created, lastSeq],
    );
    const reset = before !== undefined && (before.created !== created || before.lastSeq > lastSeq);
    if (reset) await forget(sql, stream);
    return { reset };
  });
}

async function forget(sql: Sql, stream: string): Promise<void> {
  if (stream.endsWith('EVENTS')) {
    await sql.run(FORGET_EVENTS);
  } else {
    await sql.run(FORGET_JOBS);
    await sql.run(`delete from mark where starts_with(name, '${SETTLED}')`);
  }
}
