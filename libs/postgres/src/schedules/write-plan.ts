import { toJson } from '../database/json.ts';
import { at, type Sql } from '../database/sql.ts';
import { JOB_VALUES, jobInsert, jobValues, type NewJob } from '../jobs/new-job.ts';
import { foldNonRuns } from './fold-non-runs.ts';
import type { Plan, PlannedOccurrence } from './plan-rows.ts';

// A nominal time has one row, whoever plans it, and however often.
const INSERT = `insert into occurrence (schedule_id, nominal_time, origin, state, reason, count, to_time, dispatch_at, overlap,
    job_id, lateness_ms)
  select "scheduleId", ${at('"nominalTime"')}, origin, state, reason, coalesce(count, 1), ${at('"to"')},
    ${at('"dispatchAt"')}, overlap, job, lateness
  from json_to_recordset($1::json) as x("scheduleId" uuid, "nominalTime" float8, origin text, state text, reason jsonb,
    count integer, "to" float8, "dispatchAt" float8, overlap text, job uuid, lateness bigint)
  on conflict do nothing returning job_id as job`;

const ADVANCE = `update schedule s set cursor_at = greatest(s.cursor_at, ${at('x.cursor')}), next_at = ${at('x."nextAt"')},
    runs = coalesce(x.runs, s.runs), superseded = x.superseded, problem = x.problem,
    finished_at = case when x."nextAt" is null then coalesce(s.finished_at, ${at('$3')}) end,
    paused_at = case when x.resumed then null else s.paused_at end,
    paused_by = case when x.resumed then null else s.paused_by end,
    pause_note = case when x.resumed then null else s.pause_note end,
    counted_from = case when x.resumed then s.paused_until else s.counted_from end,
    paused_until = case when x.resumed then null else s.paused_until end
  from json_to_recordset($2::json) as x(id uuid, cursor float8, "nextAt" float8, runs bigint, superseded jsonb,
    problem text, resumed boolean)
  where s.id = x.id`;

// One statement: schedulers that write much do little else than wait for answers.
const WRITE = `with made as (${INSERT}), moved as (${ADVANCE})
  select count(*)::int as made, '{}'::uuid[] as jobs from made`;

// The job of an occurrence that was there already is somebody else's. Behind the values of the jobs come those of the plan.
const WRITE_FIRED = `with made as (${shifted(INSERT)}), moved as (${shifted(ADVANCE)}),
  jobs as (${jobInsert('where id in (select job from made) order by id')})
  select (select count(*)::int from made) as made, array(select id from jobs) as jobs`;

function shifted(text: string): string {
  return text.replace(/\$(\d)/g, (_, place) => `$${JOB_VALUES + Number(place)}`);
}

/** What of a plan was written. */
export interface Written {
  /** Rows that were new. */
  readonly occurrences: number;
  /** Jobs of what was in time, to be published now. */
  readonly fired: readonly NewJob[];
}

/**
 * Writes a plan of schedules that are locked.
 * @param jobs of the occurrences that are decided already
 * @returns how many rows were new, and the jobs that were
 */
export async function writePlan(
  sql: Sql,
  plan: Plan,
  now: number,
  jobs: ReadonlyMap<PlannedOccurrence, NewJob> = new Map(),
): Promise<Written> {
  const rows = plan.occurrences.map((time) => {
    const job = jobs.get(time);
    if (!job) return time;
    return { ...time, state: 'dispatched', job: job.envelope.id, lateness: now - time.nominalTime };
  });
  const schedules = plan.schedules.map(({ superseded = [], ...schedule }) =>
    superseded.length === 0 ? schedule : { ...schedule, superseded },
  );
  const values = [toJson(rows), toJson(schedules), now];
  const fired = [...jobs.values()];
  const text = fired.length === 0 ? WRITE : WRITE_FIRED;
  const written = await sql.row<{ made: number; jobs: string[] }>(
    text,
    fired.length === 0 ? values : [...jobValues(fired), ...values],
  );
  await foldNonRuns(
    sql,
    plan.occurrences
      .filter(({ state }) => state !== 'due')
      .map(({ scheduleId, nominalTime }) => ({ scheduleId, nominalTime })),
  );
  // One that was there already was published by whoever wrote it, or will be by the recorder.
  const fresh = new Set(written?.jobs);
  return {
    occurrences: written?.made ?? 0,
    fired: fired.filter(({ envelope }) => fresh.has(envelope.id)),
  };
}
