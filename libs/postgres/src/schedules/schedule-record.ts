import {
  type PlannableSchedule,
  type SchedulePause,
  type ScheduleSpec,
  type SupersededDefinition,
  storedDefinition,
} from '@jetbeat/core';
import { ms } from '../database/sql.ts';

/** A schedule. Times in Unix milliseconds. */
export interface ScheduleRecord extends PlannableSchedule {
  readonly id: string;
  readonly name: string;
  readonly definition: ScheduleSpec;
  /** Rises with every edit. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The last nominal time that was materialized, or the time after which planning begins. */
  readonly cursor: number;
  /** When it is to be planned again; absent when there is no time any more. */
  readonly nextAt?: number;
  /** How many times of its own rule have come due. */
  readonly runs: number;
  /** One whose `until` has come is over, and is taken away when the schedule is planned next. */
  readonly paused?: SchedulePause;
  /** Why its definition cannot be read, so that it does not fire. */
  readonly problem?: string;
  /** Since when it has no time any more. */
  readonly finishedAt?: number;
}

/** A row of `SCHEDULE_SELECT`, or of `PLANNED_SELECT`. */
export interface ScheduleRow {
  readonly id: string;
  readonly name: string;
  readonly definition: unknown;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly cursorAt: number;
  readonly nextAt: number | null;
  readonly runs: number;
  readonly pausedAt: number | null;
  readonly pausedBy: string | null;
  readonly pauseNote: string | null;
  readonly pausedUntil: number | null;
  readonly superseded?: readonly { readonly definition: unknown; readonly until: number }[] | null;
  readonly problem: string | null;
  readonly finishedAt: number | null;
}

/** What a schedule has that is small. */
export const SCHEDULE_REST = `s.id, s.name, s.version, ${ms('s.created_at')} as "createdAt",
  ${ms('s.updated_at')} as "updatedAt", ${ms('s.cursor_at')} as "cursorAt", ${ms('s.next_at')} as "nextAt",
  s.runs::float8 as runs, ${ms('s.paused_at')} as "pausedAt", s.paused_by as "pausedBy", s.pause_note as "pauseNote",
  ${ms('s.paused_until')} as "pausedUntil", s.problem, ${ms('s.finished_at')} as "finishedAt"`;
/** What to select for a `ScheduleRow`, of the table alias `s`. */
export const SCHEDULE_SELECT = `${SCHEDULE_REST}, s.definition`;
/** The same with what it was before, which only planning asks for: until then every edit adds a whole definition. */
export const PLANNED_SELECT = `${SCHEDULE_SELECT}, s.superseded`;

/** Reads a row. */
export function scheduleRecord(row: ScheduleRow): ScheduleRecord {
  const { id, name, version, createdAt, updatedAt, cursorAt, nextAt, runs, problem, finishedAt } = row;
  const paused = pauseOf(row);
  const superseded = row.superseded?.map(
    ({ definition, until }): SupersededDefinition => ({
      definition: storedDefinition(definition, name),
      until,
    }),
  );
  return {
    id,
    name,
    definition: storedDefinition(row.definition, name),
    version,
    createdAt: Math.floor(createdAt),
    updatedAt,
    // Whoever writes in plain SQL writes microseconds.
    cursor: Math.floor(cursorAt),
    ...(nextAt === null ? {} : { nextAt }),
    runs,
    ...(paused === undefined ? {} : { paused }),
    ...(superseded === undefined ? {} : { superseded }),
    ...(problem === null ? {} : { problem }),
    ...(finishedAt === null ? {} : { finishedAt }),
  };
}

/** Why it is paused, if it is. */
export function pauseOf(
  row: Pick<ScheduleRow, 'pausedAt' | 'pausedBy' | 'pauseNote' | 'pausedUntil'>,
): SchedulePause | undefined {
  const { pausedAt, pausedBy, pauseNote, pausedUntil } = row;
  if (pausedAt === null) return undefined;
  return {
    by: pausedBy ?? '',
    ...(pauseNote === null ? {} : { note: pauseNote }),
    since: Math.floor(pausedAt),
    ...(pausedUntil === null ? {} : { until: Math.floor(pausedUntil) }),
  };
}
