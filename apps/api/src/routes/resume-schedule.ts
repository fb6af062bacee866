import { databaseTime, resumeSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { found, known, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

/** `POST /schedules/{name}/resume`: what fell into the pause is not caught up, and stands as skipped. */
export function resumeScheduleRoute(app: FastifyInstance, { db }: Parts): void {
  app.post<{ Params: { name: string } }>(
    '/schedules/:name/resume',
    {
      config: { role: 'operator' },
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
      const resumed = found(known(name) ? await resumeSchedule(db, { name, now }) : undefined, name);
      request.log.info({ schedule: name, by: request.keyId }, 'schedule resumed');
      return reply.send(await showSchedule(db, resumed));
    },
  );
}
