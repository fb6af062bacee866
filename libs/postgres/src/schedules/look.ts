import { type Database, inside } from '../database/database.ts';
import { ms } from '../database/sql.ts';

/** What a scheduler sees at the beginning of a pass. Times in Unix milliseconds; they may be past. */
export interface Look {
  /** PostgreSQL's time. */
  readonly now: number;
  /** When the next schedule is to be planned; undefined when none is. */
  readonly planAt?: number;
  /** When the next occurrence is to be decided. What waits for history does not count, since nobody knows when that comes. */
  readonly dueAt?: number;
  /** Something waits until a job has ended. */
  readonly buffered: boolean;
  /** Something waits until history has caught up. */
  readonly waiting: boolean;
}

// What waits has been due, perhaps by a clock that was set back since: without an end a backfill that is spread over days would be read
// row by row.
const LOOK = `select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now,
    (select ${ms('min(next_at)')} from schedule where next_at is not null) as "planAt",
    (select ${ms('min(coalesce(dispatch_at, nominal_time))')} from occurrence
      where state = 'due' and wait_until is null) as "dueAt",
    exists (select from occurrence where state = 'buffered') as buffered,
    exists (select from occurrence where state = 'due' and wait_until is not null
      and coalesce(dispatch_at, nominal_time) <= statement_timestamp() + interval '1 h') as waiting`;

interface LookRow {
  readonly now: number;
  readonly planAt: number | null;
  readonly dueAt: number | null;
  readonly buffered: boolean;
  readonly waiting: boolean;
}

/** Takes the time, and looks whether there is something to do: one statement, of indexes alone. */
export async function look(db: Database): Promise<Look> {
  const row = await inside(db).row<LookRow>(LOOK);
  if (!row) throw new TypeError('PostgreSQL answers without a row');
  const { planAt, dueAt, ...rest } = row;
  return {
    ...rest,
    ...(planAt === null ? {} : { planAt }),
    ...(dueAt === null ? {} : { dueAt }),
  };
}

/** When a pass has something to do next: the earlier of both times. */
export function wakeAt({ planAt, dueAt }: Pick<Look, 'planAt' | 'dueAt'>): number | undefined {
  const times = [planAt, dueAt].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}
