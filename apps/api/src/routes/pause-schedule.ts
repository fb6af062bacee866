import { type PauseRequest, PauseRequestSchema } from '@jetbeat/core/http';
import { databaseTime, pauseSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { stillSees } from '../access/schedule-queue.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownPause } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { readTime } from '../requests/read-time.ts';
import { found, known, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

/** `POST /schedules/{name}/pause`: pausing twice keeps the first pause. */
export function pauseScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.post<{ Params: { name: string }; Body: PauseRequest }>(
    '/schedules/:name/pause',
    {
      config: { role: 'operator', scope: 'schedule' },
      schema: {
        operationId: 'pauseSchedule',
        tags: ['schedules'],
        summary: 'Pause a schedule, until it is resumed or until a time',
        params: SCHEDULE_PARAMS,
        body: PauseRequestSchema,
        response: { 200: answer('The paused schedule.', 'Schedule'), ...problems(400, 404, 415) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { note } = request.body;
      const now = await databaseTime(db);
      const until = request.body.until === undefined ? undefined : readUntil(request.body.until, now);
      const check = stillSees({ caller: request.caller, settings, fleet: await parts.fleet() });
      const pause = {
        check,
        name,
        by: request.caller.id,
        now,
        audit: auditOf(request, 'schedule.pause', { kind: 'schedule', id: name }, shownPause),
        ...(note === undefined ? {} : { note }),
        ...(until === undefined ? {} : { until }),
      };
      const paused = found(known(name) ? await pauseSchedule(db, pause) : undefined, name);
      request.log.info({ schedule: name, by: request.caller.id }, 'schedule paused');
      return reply.send(await showSchedule(db, paused));
    },
  );
}

function readUntil(text: string, now: number): number {
  const until = readTime(text, '/until');
  if (until > now) return until;
  const message = 'this time is over: name one that is still to come, or leave it out';
  throw new ApiError('invalid_request', message, {
    issues: [{ pointer: '/until', code: 'invalid_value', message }],
  });
}
