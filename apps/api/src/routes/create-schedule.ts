import { type ScheduleRequest, ScheduleRequestSchema } from '@jetbeat/core/http';
import { ConflictError, createSchedule, databaseTime, getSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { scheduleWarnings } from '../access/schedule-queue.ts';
import { timedId } from '../answers/asked-id.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownSchedule } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { checkSchedule } from '../schedules/check-schedule.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { scheduleJson } from '../schedules/schedule-json.ts';

/** `POST /schedules` */
export function createScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, fleet } = parts;
  app.post<{ Body: ScheduleRequest }>(
    '/schedules',
    {
      config: { role: 'operator', scope: 'new' },
      schema: {
        operationId: 'createSchedule',
        tags: ['schedules'],
        summary: 'Create a schedule',
        body: ScheduleRequestSchema,
        response: {
          201: answer('Created.', 'Schedule', 'ETag', 'Location'),
          ...problems(400, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const definition = readSchedule(request.body);
      const known = await fleet();
      const { caller } = request;
      checkSchedule(parts, { definition, fleet: known, now: parts.clock(), caller });
      const now = await databaseTime(db);
      const { name } = definition;
      const id = timedId(request, now)('schedule');
      const audit = auditOf(request, 'schedule.create', { kind: 'schedule', id: name }, shownSchedule);
      const created = await createSchedule(db, { id, name, definition, now, audit }).catch(async (error) => {
        if (!(error instanceof ConflictError)) throw error;
        const found = request.repeatable?.again ? await getSchedule(db, name) : undefined;
        if (found?.id === id) return found;
        throw new ApiError('schedule_exists', `there is a schedule named ${JSON.stringify(name)} already`, {
          cause: error,
        });
      });
      request.log.info({ schedule: name, by: request.caller.id }, 'schedule created');
      const warnings = scheduleWarnings({ definition }, { caller, settings: parts.settings, fleet: known });
      return reply
        .status(201)
        .header('location', `/api/v1/schedules/${encodeURIComponent(name)}`)
        .header('etag', entityTag(created.version))
        .send({ ...scheduleJson(created, now, undefined), warnings });
    },
  );
}
