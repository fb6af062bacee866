import { randomBytes } from 'node:crypto';
import { DEFAULT_QUEUE, type ScheduleRequest, ScheduleRequestSchema, uuidV7 } from '@jetbeat/core';
import { ConflictError, createSchedule, databaseTime } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { checkSchedule } from '../check-schedule.ts';
import { entityTag } from '../entity-tag.ts';
import { warningsFor } from '../fleet.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { readSchedule } from '../read-schedule.ts';
import { scheduleJson } from '../schedule-json.ts';

/** `POST /schedules` */
export function createScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, fleet } = parts;
  app.post<{ Body: ScheduleRequest }>(
    '/schedules',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'createSchedule',
        tags: ['schedules'],
        summary: 'Create a schedule',
        body: ScheduleRequestSchema,
        response: { 201: answer('Created.', 'Schedule'), ...problems(400, 409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const definition = readSchedule(request.body);
      const known = await fleet();
      checkSchedule(parts, { definition, fleet: known, now: parts.clock() });
      const now = await databaseTime(db);
      const { name, job } = definition;
      const id = uuidV7(now, randomBytes(10));
      const created = await createSchedule(db, { id, name, definition, now }).catch((error: unknown) => {
        if (!(error instanceof ConflictError)) throw error;
        throw new ApiError('schedule_exists', `there is a schedule named ${JSON.stringify(name)} already`, {
          cause: error,
        });
      });
      request.log.info({ schedule: name, by: request.keyId }, 'schedule created');
      const warnings = warningsFor(known, { task: job.task, queue: job.queue ?? DEFAULT_QUEUE });
      return reply
        .status(201)
        .header('location', `/api/v1/schedules/${encodeURIComponent(name)}`)
        .header('etag', entityTag(created.version))
        .send({ ...scheduleJson(created, now, undefined), warnings });
    },
  );
}
