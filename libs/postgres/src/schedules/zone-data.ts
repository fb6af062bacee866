import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';

const MARK = 'zone-data';

// Its letter is a digit more, so that a later edition is the greater number: 2026a is 202601.
const NOTE = `insert into mark as m (name, seq) values ('${MARK}', $1)
  on conflict (name) do update set seq = excluded.seq where excluded.seq > m.seq`;

// As after an edit: the next pass plans from the cursor on, by the rules that this machine knows.
const REPLAN = `update schedule set next_at = ${at('0')} where id in (
  select id from schedule where finished_at is null and next_at is not null
    and coalesce(definition->>'timeZone', 'UTC') <> 'UTC'
  order by id for update)`;

/**
 * Has every schedule with a time zone planned anew when the zone data are newer than those of any scheduler before: a zone may
 * have changed its rules, and what was stored as the next time follows from the old ones.
 * @param edition as in `process.versions.tz`, e.g. `2026a`; of another form nothing is done
 * @returns how many schedules are planned anew
 */
export async function noteZones(db: Database, edition: string): Promise<number> {
  const [, year, letter] = /^(\d{4})([a-z])$/.exec(edition) ?? [];
  if (year === undefined || letter === undefined) return 0;
  const seq = Number(year) * 100 + letter.charCodeAt(0) - 'a'.charCodeAt(0) + 1;
  return inside(db).transaction(async (sql) => ((await sql.run(NOTE, [seq])) === 0 ? 0 : sql.run(REPLAN)));
}
