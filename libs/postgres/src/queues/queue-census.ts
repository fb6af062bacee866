import type { JobState } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';

/** Open jobs of one queue in one state; of parked ones by what holds them. */
export interface QueueCount {
  readonly queue: string;
  readonly state: JobState;
  /** Code of the reason, of parked jobs. */
  readonly reason?: string;
  readonly jobs: number;
}

/** Open jobs by queue. */
export interface QueueCensus {
  readonly counts: readonly QueueCount[];
  /** States of which there are more than were counted: what is told of them is a least number. */
  readonly capped: readonly JobState[];
}

/** Nobody pages through a million rows for one number: so many of each state are looked at. */
const MOST = 10_000;

/** What JetStream cannot tell by queue; what waits on its lanes it can. */
const STATES = ['scheduled', 'retrying', 'parked', 'running', 'cancelling'] as const satisfies JobState[];

const COUNT = `select found.state, found.queue, found.reason, count(*)::float8 as jobs
  from unnest($1::text[]) as of(state), lateral (
    select j.state, j.queue, case when j.state = 'parked' then j.reason->>'code' end as reason
    from job j where j.state = of.state and ($3::text is null or j.queue = $3) limit $2) found
  group by found.state, found.queue, found.reason`;

/** Counts the open jobs of all queues, or of one, at a cost that does not grow with their number. */
export async function countByQueue(db: Database, queue?: string): Promise<QueueCensus> {
  const rows = await inside(db).rows<Omit<QueueCount, 'reason'> & { reason: string | null }>(COUNT, [
    STATES,
    MOST,
    queue ?? null,
  ]);
  const counts = rows.map(({ reason, ...row }) => ({ ...row, ...(reason === null ? {} : { reason }) }));
  const total = (state: JobState) =>
    counts.reduce((sum, row) => (row.state === state ? sum + row.jobs : sum), 0);
  return { counts, capped: STATES.filter((state) => total(state) >= MOST) };
}
