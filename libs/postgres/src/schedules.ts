import type { ScheduleSpec } from '@jetbeat/core';
import { type InferEntity, LockMode } from '@mikro-orm/core';
import { type Database, inside } from './database.ts';
import { ScheduleEntity } from './entities.ts';
import { ConflictError, isUniqueViolation } from './errors.ts';
import { cleanJson } from './json.ts';
import { type ScheduleRecord, scheduleRecord } from './schedule-record.ts';

/**
 * Makes a schedule. `cursor` is the time after which planning begins, `nextAt` the first nominal time, if there is one.
 * @throws ConflictError when the name is taken
 */
export async function createSchedule(
  db: Database,
  params: {
    id: string;
    name: string;
    definition: ScheduleSpec;
    cursor: number;
    nextAt?: number;
    now: number;
  },
): Promise<ScheduleRecord> {
  const { id, name, definition, cursor, nextAt, now } = params;
  return inside(db).entities(async (em) => {
    const schedule = em.create(ScheduleEntity, {
      id,
      name,
      definition: cleanJson(definition),
      createdAt: new Date(now),
      updatedAt: new Date(now),
      cursorAt: new Date(cursor),
      nextAt: nextAt === undefined ? null : new Date(nextAt),
      pausedAt: null,
      pausedBy: null,
      pauseNote: null,
    });
    try {
      await em.persist(schedule).flush();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ConflictError(
        `there is a schedule "${name}" already: choose another name, or delete it first`,
        {
          cause: error,
        },
      );
    }
    return toRecord(schedule);
  });
}

/** The schedule of this name; undefined when there is none. */
export async function getSchedule(db: Database, name: string): Promise<ScheduleRecord | undefined> {
  const schedule = await inside(db).entities((em) => em.findOne(ScheduleEntity, { name }));
  return schedule ? toRecord(schedule) : undefined;
}

/** Schedules in the order of their names; `after` is the last name of the page before. */
export async function listSchedules(
  db: Database,
  params: { limit: number; after?: string },
): Promise<ScheduleRecord[]> {
  const where = params.after === undefined ? {} : { name: { $gt: params.after } };
  const found = await inside(db).entities((em) =>
    em.find(ScheduleEntity, where, { orderBy: { name: 'asc' }, limit: params.limit }),
  );
  return found.map(toRecord);
}

/**
 * Removes a schedule and its due occurrences. Jobs stay, with the schedule's name. False when there is none.
 */
export async function deleteSchedule(db: Database, name: string): Promise<boolean> {
  return inside(db).transaction(async (sql) => {
    // This waits for a pass that has the schedule locked; the next statement sees what that pass has written.
    const row = await sql.row<{ id: string }>('delete from schedule where name = $1 returning id', [name]);
    if (!row) return false;
    await sql.run(`delete from occurrence where schedule_id = $1 and state = 'due'`, [row.id]);
    return true;
  });
}

/** Stops planning. A second pause changes nothing. Undefined when there is no such schedule. */
export async function pauseSchedule(
  db: Database,
  params: { name: string; by: string; note?: string; now: number },
): Promise<ScheduleRecord | undefined> {
  return change(db, params.name, (schedule) => {
    if (schedule.pausedAt) return;
    schedule.pausedAt = new Date(params.now);
    schedule.pausedBy = params.by;
    schedule.pauseNote = params.note ?? null;
    schedule.updatedAt = schedule.pausedAt;
  });
}

type Schedule = InferEntity<typeof ScheduleEntity>;

async function change(
  db: Database,
  name: string,
  fn: (schedule: Schedule) => void,
): Promise<ScheduleRecord | undefined> {
  return inside(db).entities((em) =>
    em.transactional(async (own) => {
      const schedule = await own.findOne(ScheduleEntity, { name }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!schedule) return undefined;
      fn(schedule);
      return toRecord(schedule);
    }),
  );
}

function toRecord(schedule: Schedule): ScheduleRecord {
  const { id, name, definition, pausedBy, pauseNote, createdAt, updatedAt, cursorAt } = schedule;
  return scheduleRecord({
    id,
    name,
    definition,
    createdAt: createdAt.getTime(),
    updatedAt: updatedAt.getTime(),
    cursorAt: cursorAt.getTime(),
    nextAt: schedule.nextAt?.getTime() ?? null,
    pausedAt: schedule.pausedAt?.getTime() ?? null,
    pausedBy: pausedBy ?? null,
    pauseNote: pauseNote ?? null,
  });
}
