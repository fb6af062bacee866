import type { Asker, OverlapRule } from '@jetbeat/core';
import { type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at, ms } from '../database/sql.ts';
import {
  OCCURRENCE_SELECT,
  type OccurrenceRecord,
  type OccurrenceRow,
  occurrenceRecord,
} from './occurrences.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';

/** Runs of a schedule beside its own rule, that somebody asks for. Times in Unix milliseconds. */
export interface AskedRuns {
  /** The same for whoever asks for the same again. */
  readonly origin: string;
  readonly runs: readonly { readonly nominalTime: number; readonly dispatchAt: number }[];
  readonly overlap: OverlapRule;
  /** Instead of the schedule's own. */
  readonly input?: { readonly value: unknown };
  readonly requestedBy?: Asker;
}

/** What became of it. */
export interface AskedResult {
  readonly schedule: ScheduleRecord;
  /** What was asked for; where it was asked for before, as it was then. */
  readonly asked: {
    readonly count: number;
    readonly first: OccurrenceRecord | undefined;
    readonly lastTime: number | undefined;
    readonly lastDispatchAt: number | undefined;
    readonly overlap: string | null;
    readonly input?: { readonly value: unknown };
  };
  /** It was asked for before, so that nothing is added. */
  readonly repeated: boolean;
}

// A schedule that is being deleted takes its due runs along: none may come behind it.
const FIND = `select ${SCHEDULE_SELECT} from schedule s where s.name = $1 for share`;

const INSERT = `insert into occurrence (schedule_id, nominal_time, origin, state, dispatch_at, overlap, has_input, input,
    requested_by)
  select $1::uuid, ${at('x.nominal')}, $2, 'due', ${at('x.dispatch')}, $3, $4::boolean, $5::jsonb, $8::jsonb
  from unnest($6::float8[], $7::float8[]) as x(nominal, dispatch)
  on conflict do nothing`;

// Triggers have an index of their own, and a backfill lies between its first and its last time.
const ASKED = `select ${OCCURRENCE_SELECT}, o.overlap, o.has_input as "hasInput", o.input as "askedInput", a.*
  from (select count(*)::float8 as asked, min(nominal_time) as first, ${ms('max(nominal_time)')} as "lastTime",
      ${ms('max(dispatch_at)')} as "lastDispatchAt"
    from occurrence where schedule_id = $1 and origin = $2
      and (origin like 'trigger:%' or nominal_time between ${at('$3')} and ${at('$4')})) a
  join occurrence o on o.schedule_id = $1 and o.origin = $2 and o.nominal_time = a.first`;

type AskedRow = OccurrenceRow & {
  asked: number;
  lastTime: number;
  lastDispatchAt: number;
  overlap: string | null;
  hasInput: boolean;
  askedInput: unknown;
};

/**
 * Adds due occurrences to a schedule, also to one that is paused or has no time left. Asked for again under the same origin,
 * nothing is added.
 * @param params.plan what to run, of the schedule as it is; it may throw
 * @returns undefined when there is no such schedule
 */
export async function askRuns(
  db: Database,
  params: {
    readonly name: string;
    readonly plan: (schedule: ScheduleRecord) => AskedRuns;
    readonly audit?: AuditOf<AskedRuns>;
  },
): Promise<AskedResult | undefined> {
  return inside(db).transaction(async (sql) => {
    const row = await sql.row<ScheduleRow>(FIND, [params.name]);
    if (!row) return undefined;
    const schedule = scheduleRecord(row);
    const wanted = params.plan(schedule);
    const { origin, runs, overlap, input, requestedBy } = wanted;
    const look = () =>
      sql.row<AskedRow>(ASKED, [schedule.id, origin, runs[0]?.nominalTime, runs.at(-1)?.nominalTime]);
    const before = await look();
    if (before) return { schedule, asked: toAsked(before), repeated: true };
    const json = input === undefined ? null : toJson(input.value);
    const added = await sql.run(INSERT, [
      ...[schedule.id, origin, overlap, input !== undefined, json],
      ...[runs.map(({ nominalTime }) => nominalTime), runs.map(({ dispatchAt }) => dispatchAt)],
      requestedBy === undefined ? null : toJson(requestedBy),
    ]);
    if (params.audit && added > 0) await writeAudit(sql, params.audit(undefined, wanted));
    const after = await look();
    const nothing = { count: 0, first: undefined, lastTime: undefined, lastDispatchAt: undefined, overlap };
    return { schedule, asked: after ? toAsked(after) : nothing, repeated: false };
  });
}

function toAsked(row: AskedRow): AskedResult['asked'] {
  const { asked: count, lastTime, lastDispatchAt, overlap, hasInput, askedInput: value } = row;
  return {
    count,
    first: occurrenceRecord(row),
    lastTime,
    lastDispatchAt,
    overlap,
    ...(hasInput ? { input: { value } } : {}),
  };
}
