import { PLAN_ORIGIN, type Reason } from '@jetbeat/core';
import { toJson } from '../database/json.ts';
import { at, type Sql } from '../database/sql.ts';
import type { NewJob } from '../jobs/new-job.ts';
import type { DueRow } from './due-occurrences.ts';

/** What becomes of a due occurrence. */
export type DispatchDecision =
  /** The job's id must be `occurrenceJobId` of this occurrence. */
  | { readonly do: 'dispatch'; readonly job: NewJob }
  | { readonly do: 'skip'; readonly reason: Reason }
  /** Ask again when no job of its lane is open; `cancel`: those that are open, and drop what waits already. */
  | { readonly do: 'buffer'; readonly reason: Reason; readonly cancel: boolean }
  /** Ask again when EVENTS is recorded up to `eventsSeq` (absent: at the next pass), or at `until`. */
  | { readonly do: 'wait'; readonly eventsSeq?: number; readonly until: number };

/** An occurrence, and what becomes of it. */
export interface Decided {
  readonly row: DueRow;
  readonly decision: DispatchDecision;
}

const DECIDE = `update occurrence o set state = x.state, reason = coalesce(x.reason, case when x.keep then o.reason end),
    job_id = x.job, lateness_ms = x.lateness, wait_events_seq = x.seq, wait_until = ${at('x.until')}
  from json_to_recordset($1::json) as x(schedule uuid, nominal float8, origin text, state text, reason jsonb, keep boolean,
    job uuid, lateness bigint, seq bigint, until float8)
  where o.schedule_id = x.schedule and o.nominal_time = ${at('x.nominal')} and o.origin = x.origin`;

/** Writes what became of occurrences that are locked. @param now Unix milliseconds */
export async function writeDecided(sql: Sql, decided: readonly Decided[], now: number): Promise<void> {
  await sql.run(DECIDE, [toJson(decided.map((one) => changeOf(one, now)))]);
}

function changeOf({ row, decision }: Decided, now: number) {
  const key = { schedule: row.scheduleId, nominal: row.nominalTime, origin: row.origin };
  switch (decision.do) {
    case 'dispatch': {
      // Nobody is late with what was asked for long after its time.
      const lateness = row.origin === PLAN_ORIGIN ? now - row.nominalTime : undefined;
      return { ...key, state: 'dispatched', job: decision.job.envelope.id, lateness, keep: !row.isBuffered };
    }
    case 'skip':
      return { ...key, state: 'skipped', reason: decision.reason };
    case 'buffer':
      return { ...key, state: 'buffered', reason: decision.reason };
    case 'wait':
      return { ...key, state: 'due', keep: true, seq: decision.eventsSeq, until: decision.until };
  }
}
