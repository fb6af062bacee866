import type { ScheduleSpec } from '@jetbeat/core';
import { ms } from './sql.ts';

/** A schedule. Times in Unix milliseconds. */
export interface ScheduleRecord {
  readonly id: string;
  readonly name: string;
  readonly definition: ScheduleSpec;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The last nominal time that was materialized, or the time after which planning begins. */
  readonly cursor: number;
  /** The next nominal time; absent when there is none any more. */
  readonly nextAt?: number;
  readonly paused?: { readonly by: string; readonly note?: string; readonly since: number };
}

/** A row of `SCHEDULE_SELECT`, or of its entity with times as numbers. */
export interface ScheduleRow {
  readonly id: string;
  readonly name: string;
  readonly definition: ScheduleSpec;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly cursorAt: number;
  readonly nextAt: number | null;
  readonly pausedAt: number | null;
  readonly pausedBy: string | null;
  readonly pauseNote: string | null;
}

/** What to select for a `ScheduleRow`, of the table alias `s`. */
export const SCHEDULE_SELECT = `s.id, s.name, s.definition, ${ms('s.created_at')} as "createdAt",
  ${ms('s.updated_at')} as "updatedAt", ${ms('s.cursor_at')} as "cursorAt", ${ms('s.next_at')} as "nextAt",
  ${ms('s.paused_at')} as "pausedAt", s.paused_by as "pausedBy", s.pause_note as "pauseNote"`;

/** Reads a row. */
export function scheduleRecord(row: ScheduleRow): ScheduleRecord {
  const { id, name, definition, createdAt, updatedAt, cursorAt, nextAt, pausedAt, pausedBy, pauseNote } = row;
  return {
    id,
    name,
    definition,
    createdAt,
    updatedAt,
    cursor: cursorAt,
    ...(nextAt === null ? {} : { nextAt }),
    ...(pausedAt === null
      ? {}
      : {
          paused: { by: pausedBy ?? '', since: pausedAt, ...(pauseNote === null ? {} : { note: pauseNote }) },
        }),
  };
}
