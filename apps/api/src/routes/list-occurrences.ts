import { PLAN_ORIGIN } from '@jetbeat/core';
import { type OccurrenceQuery, OccurrenceQuerySchema, PAGE_SIZE } from '@jetbeat/core/http';
import {
  countOccurrences,
  databaseTime,
  getSchedule,
  type ListOccurrencesParams,
  listOccurrences,
} from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { readTime } from '../requests/read-time.ts';
import { explainNothing } from '../schedules/explain-nothing.ts';
import { occurrenceJson } from '../schedules/occurrence-json.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

const PLACE = { nominalTime: /^\d{1,15}$/, origin: /^[\w:.-]{1,128}$/ };

/** `GET /schedules/{name}/occurrences`: newest first. */
export function listOccurrencesRoute(app: FastifyInstance, { db, cursors, counting }: Parts): void {
  app.get<{ Params: { name: string }; Querystring: OccurrenceQuery }>(
    '/schedules/:name/occurrences',
    {
      config: { role: 'viewer', scope: 'schedule' },
      schema: {
        operationId: 'listOccurrences',
        tags: ['schedules'],
        summary: 'List what became of each time of a schedule, newest first',
        params: SCHEDULE_PARAMS,
        querystring: OccurrenceQuerySchema,
        response: { 200: answer('A page of occurrences.', 'OccurrencePage'), ...problems(400, 404) },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const { name } = params;
      const { limit = PAGE_SIZE } = query;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const filter = filterOf(query);
      const schedule = found(known(name) ? await getSchedule(db, name) : undefined, name);
      const ofSchedule = { ...filter, scheduleId: schedule.id };
      const occurrences = await listOccurrences(db, {
        ...ofSchedule,
        limit: limit + 1,
        ...(place ? { after: { nominalTime: Number(place.nominalTime), origin: place.origin } } : {}),
      });
      const count = () =>
        counting.others(['occurrences', ofSchedule], () => countOccurrences(db, ofSchedule));
      const page = {
        ...list.page(occurrences, limit, {
          show: occurrenceJson,
          place: ({ nominalTime, origin }) => ({ nominalTime, origin }),
        }),
        ...(await list.total(occurrences, limit, count)),
      };
      const { from, to } = filter;
      const asksWhy = occurrences.length === 0 && !place && (from !== undefined || to !== undefined);
      if (!asksWhy || filter.states || (filter.origin ?? PLAN_ORIGIN) !== PLAN_ORIGIN)
        return reply.send(page);
      const explanation = explainNothing(schedule, { from, to, now: await databaseTime(db) });
      return reply.send({ ...page, explanation });
    },
  );
}

function filterOf({ from, to, state, origin }: OccurrenceQuery) {
  return {
    ...(from === undefined ? {} : { from: readTime(from, '?from') }),
    ...(to === undefined ? {} : { to: readTime(to, '?to') }),
    ...(state === undefined ? {} : { states: state }),
    ...(origin === undefined ? {} : { origin }),
  } satisfies Partial<ListOccurrencesParams>;
}
