import { type NextQuery, NextQuerySchema, PREVIEW_COUNT } from '@jetbeat/core/http';
import { getSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { problemOf } from '../schedules/schedule-json.ts';
import { previewJson } from '../schedules/when-json.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `GET /schedules/{name}/next`: by its rule, whether it is paused or not. */
export function nextTimesRoute(app: FastifyInstance, { db, clock }: Parts): void {
  app.get<{ Params: { name: string }; Querystring: NextQuery }>(
    '/schedules/:name/next',
    {
      config: { role: 'viewer', scope: 'schedule' },
      schema: {
        operationId: 'listNextTimes',
        tags: ['schedules'],
        summary: 'List the next times of a schedule',
        params: SCHEDULE_PARAMS,
        querystring: NextQuerySchema,
        response: { 200: answer('The next times.', 'Preview'), ...problems(400, 404) },
      },
    },
    async ({ params: { name }, query }, reply) => {
      const schedule = found(known(name) ? await getSchedule(db, name) : undefined, name);
      const { definition, createdAt, runs, cursor } = schedule;
      const problem = problemOf(schedule, clock());
      if (problem !== undefined)
        return reply.send({ items: [], warnings: [{ code: 'problem', message: problem }] });
      const { count = PREVIEW_COUNT } = query;
      const from = Math.max(clock(), cursor);
      return reply.send(previewJson({ ...definition, anchor: createdAt, runs, from, count }));
    },
  );
}
