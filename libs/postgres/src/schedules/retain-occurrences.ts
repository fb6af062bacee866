import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';

// A backfill is as old as its dispatch: its rows are what a repeat of its call finds. What became of a schedule last stays, for as long as there is the schedule.
const RETAIN = `with old as (
    select o.schedule_id, o.nominal_time, o.origin from occurrence o
    where greatest(o.nominal_time, o.dispatch_at) < ${at('$1')} and coalesce(o.to_time, o.nominal_time) < ${at('$1')}
      and o.state not in ('due', 'buffered')
      and (exists (select from occurrence n where n.schedule_id = o.schedule_id and n.nominal_time > o.nominal_time)
        or not exists (select from schedule s where s.id = o.schedule_id))
    order by greatest(o.nominal_time, o.dispatch_at) limit $2 for update skip locked)
  delete from occurrence o using old
  where o.schedule_id = old.schedule_id and o.nominal_time = old.nominal_time and o.origin = old.origin`;

/**
 * Removes what became of times (of a backfill: of its dispatch) before `before` (Unix milliseconds), `limit` rows at most, and gaps from before. Several may do it at once.
 * @returns how many rows went
 */
export async function retainOccurrences(
  db: Database,
  params: { before: number; limit: number },
): Promise<number> {
  const { before, limit } = params;
  const removed = await inside(db).run(RETAIN, [before, limit]);
  if (removed < limit) await inside(db).run(`delete from scheduler_gap where to_at < ${at('$1')}`, [before]);
  return removed;
}
