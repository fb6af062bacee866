import type { ScheduleSpec } from '@jetbeat/core';
import { type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { ConflictError } from '../database/errors.ts';
import { toJson } from '../database/json.ts';
import { at } from '../database/sql.ts';

/** A schedule that is to be made. */
export interface NewSchedule {
  readonly id: string;
  readonly definition: ScheduleSpec;
  /** The first nominal time, if there is one; Unix milliseconds. */
  readonly nextAt?: number;
}

const TAKEN = 'select name, id from schedule where name = any($1::text[])';

// In the order of names, so that two of them wait for each other and never deadlock.
const INSERT = `insert into schedule (id, name, definition, created_at, updated_at, cursor_at, next_at)
  select x.id, x.definition->>'name', x.definition, ${at('$2')}, ${at('$2')}, ${at('$2')}, ${at('x."nextAt"')}
  from json_to_recordset($1::json) as x(id uuid, definition jsonb, "nextAt" float8)
  order by x.definition->>'name' on conflict (name) do nothing`;

/**
 * Makes all of these schedules, or none: planning begins at `now`.
 * @returns the names that are taken; none: they are made, by this call or by an earlier one with the same ids
 * @throws ConflictError when somebody else has taken one of the names at this moment
 */
export async function createSchedules(
  db: Database,
  params: {
    readonly schedules: readonly NewSchedule[];
    readonly now: number;
    readonly audit?: AuditOf<ScheduleSpec>;
  },
): Promise<readonly string[]> {
  const { schedules, now, audit } = params;
  const names = schedules.map(({ definition }) => definition.name);
  return inside(db).transaction(async (sql) => {
    const taken = await sql.rows<{ name: string; id: string }>(TAKEN, [names]);
    const own = new Map(schedules.map(({ id, definition }) => [definition.name, id]));
    const others = taken.filter(({ name, id }) => own.get(name) !== id);
    if (others.length > 0) return others.map(({ name }) => name);
    if (taken.length > 0) return [];
    const made = await sql.run(INSERT, [toJson(schedules), now]);
    if (made === schedules.length) {
      if (audit) await writeAudit(sql, ...schedules.map(({ definition }) => audit(undefined, definition)));
      return [];
    }
    throw new ConflictError('one of the names was taken at this moment: none of these schedules was made');
  });
}
