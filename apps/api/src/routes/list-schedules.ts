import { SCHEDULE_PATTERN } from '@jetbeat/core';
import { PAGE_SIZE, type Schedule, type ScheduleQuery, ScheduleQuerySchema } from '@jetbeat/core/http';
import { databaseTime, type ListSchedulesParams, lastOccurrences, listSchedules } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { scheduleScope } from '../access/schedule-queue.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { listedScheduleJson } from '../schedules/schedule-json.ts';
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
      const { schedules, next } = await listSchedules(db, {
        ...filter,
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const last = await lastOccurrences(
        db,
        schedules.map(({ id }) => id),
      );
      const now = await databaseTime(db);
      const others = createTurns();
      const items: Schedule[] = [];
      for (const schedule of schedules) {
        items.push(listedScheduleJson(schedule, now, last.get(schedule.id)));
        await others();
      }
      const nextCursor = next === undefined ? null : list.write({ name: next });
      const total =
        after === undefined &&
        (next === undefined ? { value: items.length, capped: false } : await counting.schedules(filter));
      return reply.send({ items, nextCursor, ...(total ? { total } : {}) });
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
