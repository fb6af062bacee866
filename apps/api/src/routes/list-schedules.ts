import { PAGE_SIZE, type PageQuery, PageQuerySchema, SCHEDULE_PATTERN } from '@jetbeat/core';
import { lastOccurrences, listSchedules } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { decodeCursor, pageOf } from '../cursor.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { scheduleJson } from '../schedule-json.ts';

const PLACE = { name: new RegExp(SCHEDULE_PATTERN) };

/** `GET /schedules`: by name. */
export function listSchedulesRoute(app: FastifyInstance, { db, clock }: Parts): void {
  app.get<{ Querystring: PageQuery }>(
    '/schedules',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listSchedules',
        tags: ['schedules'],
        summary: 'List schedules by name',
        querystring: PageQuerySchema,
        response: { 200: answer('A page of schedules.', 'SchedulePage'), ...problems(400) },
      },
    },
    async ({ query }, reply) => {
      const { limit = PAGE_SIZE } = query;
      const after = decodeCursor(query.cursor, PLACE)?.name;
      const found = await listSchedules(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const last = await lastOccurrences(
        db,
        found.map(({ id }) => id),
      );
      const now = clock();
      const page = pageOf(found, limit, {
        show: (schedule) => scheduleJson(schedule, now, last.get(schedule.id)),
        place: ({ name }) => ({ name }),
      });
      return reply.send(page);
    },
  );
}
