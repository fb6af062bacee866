import type { JobState, Priority } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { ms } from '../database/sql.ts';

/** By what it shows that a job's row has changed. */
export interface JobMark {
  readonly id: string;
  readonly state: JobState;
  /** `orderOf` the event that gave the state. */
  readonly order: number;
  readonly priority: Priority;
  /** When it should next begin, Unix milliseconds. */
  readonly dueAt: number;
}

// The bounds leave most partitions out when it is planned.
const MARKS = `select j.id, j.state, j."position"::float8 as "order", j.priority, ${ms('j.due_at')} as "dueAt"
  from job j where j.id >= $2::uuid and j.id <= $3::uuid and j.id = any((select $1::uuid[])::uuid[])`;

/** How far these jobs are; of what is not known there is no mark. */
export async function jobMarks(db: Database, ids: readonly string[]): Promise<JobMark[]> {
  const sorted = [...ids].sort();
  const [first] = sorted;
  if (first === undefined) return [];
  return inside(db).rows<JobMark>(MARKS, [sorted, first, sorted.at(-1)]);
}
