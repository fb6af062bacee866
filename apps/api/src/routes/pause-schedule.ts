import { type PauseRequest, PauseRequestSchema } from '@jetbeat/core';
import { pauseSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { found, known, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

/** `POST /schedules/{name}/pause`: pausing twice keeps the first pause. */
export function pauseScheduleRoute(app: FastifyInstance, { db, clock }: Parts): void {
  app.post<{ Params: { name: string }; Body: PauseRequest }>(
    '/schedules/:name/pause',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'pauseSchedule',
        tags: ['schedules'],
        summary: 'Pause a schedule',
        params: SCHEDULE_PARAMS,
        body: PauseRequestSchema,
        response: { 200: answer('The paused schedule.', 'Schedule'), ...problems(400, 404, 415) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { note } = request.body;
      const now = clock();
      const pause = { name, by: request.keyId, now, ...(note === undefined ? {} : { note }) };
      const paused = found(known(name) ? await pauseSchedule(db, pause) : undefined, name);
      request.log.info({ schedule: name, by: request.keyId }, 'schedule paused');
      return reply.send(await showSchedule(db, paused, now));
    },
  );
}
