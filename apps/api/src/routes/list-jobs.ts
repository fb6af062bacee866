import { type JobQuery, JobQuerySchema, PAGE_SIZE, UUID_PATTERN } from '@jetbeat/core';
import { listJobs } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { decodeCursor, pageOf } from '../cursor.ts';
import { listedJobJson } from '../job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { readTime } from '../read-time.ts';

const PLACE = { id: new RegExp(UUID_PATTERN) };

/** `GET /jobs`: newest first. */
export function listJobsRoute(app: FastifyInstance, { db }: Parts): void {
  app.get<{ Querystring: JobQuery }>(
    '/jobs',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listJobs',
        tags: ['jobs'],
        summary: 'List jobs, newest first',
        querystring: JobQuerySchema,
        response: { 200: answer('A page of jobs.', 'JobPage'), ...problems(400) },
      },
    },
    async ({ query }, reply) => {
      const { state, task, queue, schedule, from, to, limit = PAGE_SIZE } = query;
      const after = decodeCursor(query.cursor, PLACE)?.id;
      const found = await listJobs(db, {
        ...(state === undefined ? {} : { states: state }),
        ...(task === undefined ? {} : { task }),
        ...(queue === undefined ? {} : { queue }),
        ...(schedule === undefined ? {} : { schedule }),
        ...(from === undefined ? {} : { from: readTime(from, '?from') }),
        ...(to === undefined ? {} : { to: readTime(to, '?to') }),
        ...(after === undefined ? {} : { after }),
        limit: limit + 1,
      });
      return reply.send(pageOf(found, limit, { show: listedJobJson, place: ({ id }) => ({ id }) }));
    },
  );
}
