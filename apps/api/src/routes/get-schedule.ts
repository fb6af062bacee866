import { isName, type Schedule } from '@jetbeat/core';
import { type Database, getSchedule, lastOccurrences, type ScheduleRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { scheduleJson } from '../schedule-json.ts';

/** The path of one schedule. What may not name a schedule names none, and is answered so. */
export const SCHEDULE_PARAMS = Type.Object({
  name: Type.String({ maxLength: 512, description: 'Name of the schedule; `/` in it is written `%2F`.' }),
});

/** `GET /schedules/{name}` */
export function getScheduleRoute(app: FastifyInstance, { db, clock }: Parts): void {
  app.get<{ Params: { name: string } }>(
    '/schedules/:name',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getSchedule',
        tags: ['schedules'],
        summary: 'Get a schedule with its next times',
        params: SCHEDULE_PARAMS,
        response: { 200: answer('The schedule.', 'Schedule'), ...problems(404) },
      },
    },
    async ({ params: { name } }, reply) => {
      const schedule = known(name) ? await getSchedule(db, name) : undefined;
      return reply.send(await showSchedule(db, found(schedule, name), clock()));
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
  if (value === undefined) {
    throw new ApiError(
      'schedule_not_found',
      `there is no schedule named ${JSON.stringify(name.slice(0, 128))}`,
    );
  }
  return value;
}

/** A schedule as the API shows it, with its last occurrence. */
export async function showSchedule(db: Database, schedule: ScheduleRecord, now: number): Promise<Schedule> {
  const last = await lastOccurrences(db, [schedule.id]);
  return scheduleJson(schedule, now, last.get(schedule.id));
}
