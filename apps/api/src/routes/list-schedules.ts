import {
  PAGE_SIZE,
  SCHEDULE_PATTERN,
  type Schedule,
  type ScheduleQuery,
  ScheduleQuerySchema,
} from '@jetbeat/core';
import { databaseTime, type ListSchedulesParams, lastOccurrences, listSchedules } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { scheduleScope } from '../access/schedule-queue.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { scheduleJson } from '../schedules/schedule-json.ts';
import { createTurns } from '../turns.ts';

const PLACE = { name: new RegExp(SCHEDULE_PATTERN) };

/** `GET /schedules`: by name. */
export function listSchedulesRoute(app: FastifyInstance, parts: Parts): void {
  const { db, cursors, counting } = parts;
  app.get<{ Querystring: ScheduleQuery }>(
    '/schedules',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listSchedules',
        tags: ['schedules'],
        summary: 'List schedules by name',
        querystring: ScheduleQuerySchema,
        response: { 200: answer('A page of schedules.', 'SchedulePage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { limit = PAGE_SIZE } = query;
      const list = cursors.of(request);
      const after = list.read(PLACE)?.name;
      const filter = { ...filterOf(query), scope: await scheduleScope(request.caller, parts) };
      const found = await listSchedules(db, {
        ...filter,
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      const last = await lastOccurrences(
        db,
        found.map(({ id }) => id),
      );
      const now = await databaseTime(db);
      const { items, nextCursor } = list.page(found, limit, {
        show: (schedule) => schedule,
        place: ({ name }) => ({ name }),
      });
      const others = createTurns();
      const shown: Schedule[] = [];
      for (const schedule of items) {
        shown.push(scheduleJson(schedule, now, last.get(schedule.id)));
        await others();
      }
      const isAll = found.length <= limit;
      const total =
        after === undefined &&
        (isAll ? { value: found.length, capped: false } : await counting.schedules(filter));
      return reply.send({ items: shown, nextCursor, ...(total ? { total } : {}) });
    },
  );
}

function filterOf({ task, state, search, label }: ScheduleQuery): Omit<ListSchedulesParams, 'limit'> {
  return {
    ...(task === undefined ? {} : { task }),
    ...(state === undefined ? {} : { states: state }),
    ...(search === undefined ? {} : { search }),
    ...(label === undefined ? {} : { labels: label.map(readLabel) }),
  };
}

/** `name:value`, or `name`. */
function readLabel(text: string): { name: string; value?: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
}
