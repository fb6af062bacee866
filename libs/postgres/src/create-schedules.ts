import type { ScheduleSpec } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { ConflictError } from './errors.ts';
import { toJson } from './json.ts';
import { at } from './sql.ts';

/** A schedule that is to be made. */
export interface NewSchedule {
  readonly id: string;
  readonly definition: ScheduleSpec;
  /** The first nominal time, if there is one; Unix milliseconds. */
  readonly nextAt?: number;
}

const TAKEN = 'select name from schedule where name = any($1::text[])';

// In the order of names, so that two of them wait for each other and never deadlock.
const INSERT = `insert into schedule (id, name, definition, created_at, updated_at, cursor_at, next_at)
  select x.id, x.definition->>'name', x.definition, ${at('$2')}, ${at('$2')}, ${at('$2')}, ${at('x."nextAt"')}
  from json_to_recordset($1::json) as x(id uuid, definition jsonb, "nextAt" float8)
  order by x.definition->>'name' on conflict (name) do nothing`;

/**
 * Makes all of these schedules, or none: planning begins at `now`.
 * @returns the names that are taken; none: they are made
 * @throws ConflictError when somebody else has taken one of the names at this moment
 */
export async function createSchedules(
  db: Database,
  params: { readonly schedules: readonly NewSchedule[]; readonly now: number },
): Promise<readonly string[]> {
  const { schedules, now } = params;
  const names = schedules.map(({ definition }) => definition.name);
  return inside(db).transaction(async (sql) => {
    const taken = await sql.rows<{ name: string }>(TAKEN, [names]);
    if (taken.length > 0) return taken.map(({ name }) => name);
    const made = await sql.run(INSERT, [toJson(schedules), now]);
    if (made === schedules.length) return [];
    throw new ConflictError('one of the names was taken at this moment: none of these schedules was made');
  });
}
