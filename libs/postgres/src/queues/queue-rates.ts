import { type Database, inside } from '../database/database.ts';

/** What a queue got done in a time. */
export interface QueueRate {
  readonly queue: string;
  /** Attempts that succeeded, and those that came to anything else. */
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs that ended without an attempt. */
  readonly ended: number;
}

/** Counts are kept by tens of seconds. */
const SLICE_MS = 10_000;
/** How long, milliseconds. */
const KEEP_MS = 600_000;
/** The time whose counts are told, in slices. */
const SLICES = 6;

/**
 * Adds what was counted since the last time to the slice of `now`, Unix milliseconds; any number of recorders do so. What
 * is older than ten minutes goes.
 */
export async function addQueueRates(
  db: Database,
  params: { readonly rates: readonly QueueRate[]; readonly now: number },
): Promise<void> {
  const { rates, now } = params;
  const sql = inside(db);
  const since = new Date(now - (now % SLICE_MS));
  if (rates.length > 0) {
    // In one order, or two recorders could wait for each other.
    const sorted = rates.toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
    await sql.run(
      `insert into queue_rate (queue, since, succeeded, failed, ended)
       select r.queue, $2, r.succeeded, r.failed, r.ended
       from jsonb_to_recordset($1::jsonb) as r(queue text, succeeded int, failed int, ended int)
       on conflict (queue, since) do update set succeeded = queue_rate.succeeded + excluded.succeeded,
         failed = queue_rate.failed + excluded.failed, ended = queue_rate.ended + excluded.ended`,
      [JSON.stringify(sorted), since],
    );
  }
  await sql.run('delete from queue_rate where since < $1', [new Date(now - KEEP_MS)]);
}

/**
 * What each queue got done within the minute before `now`: of the slice in which that minute begins the share that is in it. What was
 * counted shows as soon as it is added.
 */
export async function queueRates(db: Database, now: number): Promise<Map<string, QueueRate>> {
  const slice = now - (now % SLICE_MS);
  const share = 1 - (now - slice) / SLICE_MS;
  const told = (name: string) =>
    `round(sum(${name} * case when since = $1 then $3::float8 else 1 end))::float8 as ${name}`;
  const rows = await inside(db).rows<QueueRate>(
    `select queue, ${told('succeeded')}, ${told('failed')}, ${told('ended')}
     from queue_rate where since >= $1 and since <= $2 group by queue`,
    [new Date(slice - SLICES * SLICE_MS), new Date(slice), share],
  );
  return new Map(rows.map((row) => [row.queue, row]));
}
