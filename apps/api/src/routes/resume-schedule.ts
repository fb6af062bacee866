import { databaseTime, resumeSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { stillSees } from '../access/schedule-queue.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownPause } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { found, known, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

/** `POST /schedules/{name}/resume`: what fell into the pause is not caught up, and stands as skipped. */
export function resumeScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.post<{ Params: { name: string } }>(
    '/schedules/:name/resume',
    {
      config: { role: 'operator', scope: 'schedule' },
      schema: {
        operationId: 'resumeSchedule',
        tags: ['schedules'],
        summary: 'Resume a paused schedule; what fell into the pause is not caught up, and stands as skipped',
        params: SCHEDULE_PARAMS,
        body: Type.Object({}, { additionalProperties: false, title: 'ResumeRequest' }),
        response: { 200: answer('The schedule.', 'Schedule'), ...problems(400, 404, 415) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const now = await databaseTime(db);
      const audit = auditOf(request, 'schedule.resume', { kind: 'schedule', id: name }, shownPause);
      const check = stillSees({ caller: request.caller, settings, fleet: await parts.fleet() });
      const resume = { check, name, now, audit };
      const resumed = found(known(name) ? await resumeSchedule(db, resume) : undefined, name);
      request.log.info({ schedule: name, by: request.caller.id }, 'schedule resumed');
      return reply.send(await showSchedule(db, resumed));
    },
  );
}
