import { isName } from '@jetbeat/core';
import type { Schedule } from '@jetbeat/core/http';
import {
  type Database,
  databaseTime,
  getSchedule,
  lastOccurrences,
  type ScheduleRecord,
} from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { ifMatchOf } from '../requests/preconditions.ts';
import { scheduleJson } from '../schedules/schedule-json.ts';
import { scheduleNotFound } from '../schedules/schedule-not-found.ts';

/** The path of one schedule. What may not name a schedule names none, and is answered so. */
export const SCHEDULE_PARAMS = Type.Object({
  name: Type.String({ maxLength: 512, description: 'Name of the schedule; `/` in it is written `%2F`.' }),
});

/** The header with which a request says which version it has read. */
export const IF_MATCH = ifMatchOf('the schedule');

/** `GET /schedules/{name}` */
export function getScheduleRoute(app: FastifyInstance, { db }: Parts): void {
  app.get<{ Params: { name: string } }>(
    '/schedules/:name',
    {
      config: { role: 'viewer', scope: 'schedule' },
      schema: {
        operationId: 'getSchedule',
        tags: ['schedules'],
        summary: 'Get a schedule with its next times',
        params: SCHEDULE_PARAMS,
        response: { 200: answer('The schedule.', 'Schedule', 'ETag'), ...problems(404) },
      },
    },
    async ({ params: { name } }, reply) => {
      const schedule = found(known(name) ? await getSchedule(db, name) : undefined, name);
      return reply.header('etag', entityTag(schedule.version)).send(await showSchedule(db, schedule));
    },
  );
}

/** Whether there can be a schedule of this name, so that it may be looked for. */
export function known(name: string): boolean {
  return isName('schedule', name);
}

/**
 * What was looked for, if it was found.
 * @throws ApiError schedule_not_found
 */
export function found<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw scheduleNotFound(name);
  return value;
}

/** A schedule as the API shows it, with its last occurrence. */
export async function showSchedule(db: Database, schedule: ScheduleRecord): Promise<Schedule> {
  const [now, last] = await Promise.all([databaseTime(db), lastOccurrences(db, [schedule.id])]);
  return scheduleJson(schedule, now, last.get(schedule.id));
}
