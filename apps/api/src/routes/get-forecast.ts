import { describeIssues, type Issue } from '@jetbeat/core';
import { type ForecastQuery, ForecastQuerySchema } from '@jetbeat/core/http';
import { databaseTime, firingSchedules } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { scheduleScope } from '../access/schedule-queue.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { readTime } from '../requests/read-time.ts';
import { forecast } from '../schedules/forecast.ts';

const DAY = 86_400_000;
const MAX_RANGE = 400 * DAY;
/** The most schedules that one forecast looks at. */
const MAX_SCHEDULES = 2_000;

/** `GET /forecast`: what all schedules will do. */
export function getForecastRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.get<{ Querystring: ForecastQuery }>(
    '/forecast',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'getForecast',
        tags: ['schedules'],
        summary: 'List what will be due, over all schedules as they are now, oldest first',
        querystring: ForecastQuerySchema,
        response: { 200: answer('What will be due.', 'Forecast'), ...problems(400) },
      },
    },
    async ({ query, caller }, reply) => {
      const now = await databaseTime(db);
      const { after, to } = readRange(query, now);
      const { task } = query;
      const firing = await firingSchedules(db, {
        upTo: to,
        scope: await scheduleScope(caller, parts),
        limit: MAX_SCHEDULES,
        ...(task === undefined ? {} : { task }),
      });
      return reply.send(await forecast({ ...firing, after, to }));
    },
  );
}

function readRange({ from, to }: ForecastQuery, now: number): { after: number; to: number } {
  const after = Math.max(now, from === undefined ? now : readTime(from, '?from'));
  const end = to === undefined ? after + DAY : readTime(to, '?to');
  const issues: Issue[] = [];
  const wrong = (message: string) => issues.push({ pointer: '?to', code: 'invalid_value', message });
  if (end < after) wrong('this is before "from", or over');
  if (end - after > MAX_RANGE) wrong('a forecast spans at most 400 days');
  if (issues.length > 0) throw new ApiError('invalid_request', describeIssues(issues), { issues });
  return { after, to: end };
}
