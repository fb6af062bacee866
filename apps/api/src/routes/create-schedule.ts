import { randomBytes } from 'node:crypto';
import {
  DEFAULT_QUEUE,
  describeIssues,
  type ScheduleRequest,
  ScheduleRequestSchema,
  uuidV7,
  validateSchedule,
} from '@jetbeat/core';
import { ConflictError, createSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { warningsFor } from '../fleet.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { readSchedule } from '../read-schedule.ts';
import { refuseOversized } from '../refuse-oversized.ts';
import { nextTime, scheduleJson } from '../schedule-json.ts';

/** What an envelope of a schedule's job has beside what the schedule says: ids, times and the schedule's name. */
const OWN_FIELDS_BYTES = 1_024;

/** `POST /schedules` */
export function createScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, fleet, checkInput, maxPayload, clock } = parts;
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
      const now = clock();
      const definition = readSchedule(request.body);
      const wrong = validateSchedule(definition, now);
      if (wrong.length > 0) throw new ApiError('invalid_schedule', describeIssues(wrong), { issues: wrong });
      const known = await fleet();
      const task = known.tasks.get(definition.job.task);
      const issues = task ? checkInput(task, definition.job.input, '/job/input') : [];
      if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
      const { name } = definition;
      const envelope = Buffer.byteLength(JSON.stringify(definition.job)) + OWN_FIELDS_BYTES;
      refuseOversized({ envelope, most: maxPayload(), pointer: '/job/input' });
      const nextAt = nextTime({ definition, createdAt: now }, now);
      const created = await createSchedule(db, {
        id: uuidV7(now, randomBytes(10)),
        name,
        definition,
        cursor: now,
        ...(nextAt === undefined ? {} : { nextAt }),
        now,
      }).catch((error: unknown) => {
        if (!(error instanceof ConflictError)) throw error;
        throw new ApiError('schedule_exists', `there is a schedule named ${JSON.stringify(name)} already`, {
          cause: error,
        });
      });
      request.log.info({ schedule: name, by: request.keyId }, 'schedule created');
      const warnings = warningsFor(known, {
        task: definition.job.task,
        queue: definition.job.queue ?? DEFAULT_QUEUE,
      });
      return reply
        .status(201)
        .header('location', `/api/v1/schedules/${encodeURIComponent(name)}`)
        .send({ ...scheduleJson(created, now, undefined), warnings });
    },
  );
}
