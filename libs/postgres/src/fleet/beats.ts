import type { SchedulerGap } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { at, ms, type Sql } from '../database/sql.ts';

/** Longer without any pass is a gap that is noted, in milliseconds. */
const GAP_MS = 5_000;
/** Gaps that are looked at. */
const GAPS = 50;
/** A replica that was not seen for so long is forgotten, in milliseconds. */
const FORGET_MS = 86_400_000;

/** What a crash of PostgreSQL forgets of this makes a gap begin a moment earlier. */
const FORGETTABLE = { durable: () => false };

// Whoever comes first after a gap notes it; of several that come at once, the first.
const BEAT = `with before as (select max(seen_at) as seen, max(held_since) as held from scheduler_beat),
  gap as (
    insert into scheduler_gap (from_at, to_at, cause)
    select seen, ${at('$2')}, case when held > seen - interval '10 s' then 'held' else 'away' end from before
    where seen > '-infinity' and seen < ${at(`$2::float8 - ${GAP_MS}`)}
    on conflict do nothing),
  forgotten as (delete from scheduler_beat where id <> $1 and seen_at < ${at(`$2::float8 - ${FORGET_MS}`)}
    and seen_at < (select seen from before))
  insert into scheduler_beat as b (id, seen_at) values ($1, ${at('$2')})
  on conflict (id) do update set seen_at = greatest(b.seen_at, excluded.seen_at), held_since = null`;

/**
 * Notes that this scheduler plans now, and whether nobody has for a while.
 * @returns the last gaps, newest first
 */
export async function noteBeat(db: Database, params: { id: string; now: number }): Promise<SchedulerGap[]> {
  return inside(db).transaction(async (sql) => {
    await sql.run(BEAT, [params.id, params.now]);
    return readGaps(sql);
  }, FORGETTABLE);
}

// One that has begun meanwhile has never planned.
const HELD = `insert into scheduler_beat as b (id, seen_at, held_since) values ($1, '-infinity', ${at('$2')})
  on conflict (id) do update set held_since = excluded.held_since where b.held_since is null`;

/** Notes that this scheduler plans nothing, since no new jobs may be made. */
export async function noteHeld(db: Database, params: { id: string; now: number }): Promise<void> {
  await inside(db).run(HELD, [params.id, params.now]);
}

/** When nothing was planned, newest first, as far as it matters. */
export async function readGaps(sql: Sql): Promise<SchedulerGap[]> {
  return sql.rows<SchedulerGap>(
    `select ${ms('from_at')} as "from", ${ms('to_at')} as "to", cause from scheduler_gap order by from_at desc limit ${GAPS}`,
  );
}
