import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';
import type { NewJob } from '../jobs/new-job.ts';
import { type Fire, fireOnTime } from './fire.ts';
import { LIGHT_SELECT, type LightSchedule, MAX_PASS_BYTES, readWhole } from './light-schedules.ts';
import type { Plan, PlannedOccurrence } from './plan-rows.ts';
import { type ScheduleRecord, scheduleRecord } from './schedule-record.ts';
import { type Written, writePlan } from './write-plan.ts';

/** What has come due within this is planned before what is older, in milliseconds. */
const FRESH_MS = 5_000;
// Thousands that are caught up with must not make late what is on time.
const LOCK = `with fresh as materialized (
    select ${LIGHT_SELECT} from schedule s
    where s.next_at <= ${at('$1')} and s.next_at > ${at(`$1::float8 - ${FRESH_MS}`)}
    order by s.next_at limit $2 for update skip locked),
  old as materialized (
    select ${LIGHT_SELECT} from schedule s where s.next_at <= ${at(`$1::float8 - ${FRESH_MS}`)}
    order by s.next_at limit $2 - (select count(*) from fresh) for update skip locked)
  select * from fresh union all select * from old`;

/** What the transaction of a plan has done. */
export interface Materialized extends Written {
  /** Schedules that were planned. */
  readonly schedules: number;
  /** What is due now, and is to be decided. */
  readonly left: readonly PlannedOccurrence[];
  /** There may be more schedules whose time has come; `cut`: since they would not have fitted into memory. */
  readonly more: boolean;
  readonly cut: boolean;
}

const NOTHING: Materialized = {
  schedules: 0,
  occurrences: 0,
  fired: [],
  left: [],
  more: false,
  cut: false,
};
/** Without jobs it is only what the next pass would work out again; and the pass that dispatches commits behind it. */
const AS_NEEDED = { durable: ({ fired }: Materialized) => fired.length > 0 };

/**
 * Plans the schedules whose next time has come, in one transaction: locks them (what another pass has locked is left out), asks
 * `plan`, writes its occurrences and moves the schedules on. What is in time is decided at once where `fire` makes a job of it. `plan` and
 * `fire` are pure and may be asked twice. The jobs that it returns are committed and not yet published.
 * @param params.budget how many bytes of definitions, and of jobs, there is room for; one may pass it
 */
export async function materializePass(
  db: Database,
  params: {
    now: number;
    limit: number;
    plan: (schedules: readonly ScheduleRecord[]) => Plan;
    fire?: Fire | undefined;
    budget?: number;
  },
): Promise<Materialized> {
  const { now, limit, fire, budget = MAX_PASS_BYTES } = params;
  return inside(db).transaction(async (sql) => {
    const locked = await sql.rows<LightSchedule>(LOCK, [now, limit]);
    if (locked.length === 0) return NOTHING;
    const whole = await readWhole(sql, locked, budget);
    const planned = new Map(
      whole.map((row) => [row.id, { schedule: scheduleRecord(row), bytes: row.bytes }]),
    );
    const plan = params.plan([...planned.values()].map(({ schedule }) => schedule));
    const { occurrences } = plan;
    const jobs = fire
      ? await fireOnTime(sql, { planned, occurrences, now, budget, fire })
      : new Map<PlannedOccurrence, NewJob>();
    const cut = whole.length < locked.length;
    return {
      schedules: whole.length,
      ...(await writePlan(sql, plan, now, jobs)),
      left: occurrences.filter((time) => isDue(time, now) && !jobs.has(time)),
      more: cut || locked.length === limit,
      cut,
    };
  }, AS_NEEDED);
}

function isDue({ state, nominalTime, dispatchAt = nominalTime }: PlannedOccurrence, now: number): boolean {
  return state === 'due' && dispatchAt <= now;
}

/** Notes why no job can be made of a schedule; it stands there until it is planned next. */
export async function noteProblem(db: Database, params: { id: string; problem: string }): Promise<void> {
  await inside(db).run('update schedule set problem = $2 where id = $1', [params.id, params.problem]);
}
