import { uuidV7 } from '@jetbeat/core';
import { type Database, inside } from './database.ts';

/** Which dead letters. */
export interface DeadFilter {
  readonly task?: string;
  readonly queue?: string;
  /** Code of the reason. */
  readonly reason?: string;
  /** Unix milliseconds, by the time that an id begins with: at this time or later. */
  readonly from?: number;
  /** Unix milliseconds: before this time. */
  readonly to?: number;
}

/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);

/** SQL for dead jobs of the table alias `j` that fit, and that nobody has made a retry of. */
export function notReplayed(filter: DeadFilter, bind: (value: unknown) => string): string {
  const { task, queue, reason, from, to } = filter;
  const filters: readonly (readonly [string, unknown])[] = [
    ['j.task =', task],
    ['j.queue =', queue],
    [`j.reason->>'code' =`, reason],
    ['j.id >=', from === undefined ? undefined : uuidV7(from, NO_BYTES)],
    ['j.id <', to === undefined ? undefined : uuidV7(to, NO_BYTES)],
  ];
  const said = filters.filter(([, value]) => value !== undefined);
  return [
    `j.state = 'dead' and j.discarded_at is null`,
    ...said.map(([text, value]) => `${text} ${bind(value)}`),
    'not exists (select from job r where r.retry_of = j.id)',
  ].join(' and ');
}

/** How many dead letters fit that nobody has made a retry of, counted up to `most`. */
export async function countDead(db: Database, filter: DeadFilter, most: number): Promise<number> {
  const values: unknown[] = [most];
  const where = notReplayed(filter, (value) => `$${values.push(value)}`);
  const row = await inside(db).row<{ count: number }>(
    `select count(*)::float8 as count from (select 1 from job j where ${where} limit $1) found`,
    values,
  );
  return row?.count ?? 0;
}

/** Throws the dead letter of a job away: the job stays in history. False when there is none. */
export async function discardDead(
  db: Database,
  params: { readonly id: string; readonly now: number },
): Promise<boolean> {
  const { id, now } = params;
  const changed = await inside(db).run(
    `update job set discarded_at = $2 where id = $1 and state = 'dead' and discarded_at is null`,
    [id, new Date(now)],
  );
  return changed > 0;
}

/** Whether the dead letter of a job was thrown away. */
export async function isDiscarded(db: Database, id: string): Promise<boolean> {
  const row = await inside(db).row('select 1 from job where id = $1 and discarded_at is not null', [id]);
  return row !== undefined;
}
