import { PAGE_SIZE, type PageQuery, PageQuerySchema } from '@jetbeat/core';
import { getSchedule, listOccurrences } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { decodeCursor, pageOf } from '../cursor.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { occurrenceJson } from '../schedule-json.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

const PLACE = { nominalTime: /^\d{1,15}$/, origin: /^[\w:.-]{1,128}$/ };

/** `GET /schedules/{name}/occurrences`: newest first. */
export function listOccurrencesRoute(app: FastifyInstance, { db }: Parts): void {
  app.get<{ Params: { name: string }; Querystring: PageQuery }>(
    '/schedules/:name/occurrences',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listOccurrences',
        tags: ['schedules'],
        summary: 'List what became of each time of a schedule, newest first',
        params: SCHEDULE_PARAMS,
        querystring: PageQuerySchema,
        response: { 200: answer('A page of occurrences.', 'OccurrencePage'), ...problems(400, 404) },
      },
    },
    async ({ params: { name }, query }, reply) => {
      const { limit = PAGE_SIZE } = query;
      const place = decodeCursor(query.cursor, PLACE);
      const { id } = found(known(name) ? await getSchedule(db, name) : undefined, name);
      const occurrences = await listOccurrences(db, {
        scheduleId: id,
        limit: limit + 1,
        ...(place ? { after: { nominalTime: Number(place.nominalTime), origin: place.origin } } : {}),
      });
      const page = pageOf(occurrences, limit, {
        show: occurrenceJson,
        place: ({ nominalTime, origin }) => ({ nominalTime, origin }),
      });
      return reply.send(page);
    },
  );
}
