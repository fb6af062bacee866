import { UUID_PATTERN } from '@jetbeat/core';
import { type JobQuery, JobQuerySchema, PAGE_SIZE, type Total } from '@jetbeat/core/http';
import { listJobs } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { listedJobJson } from '../jobs/job-json.ts';
import { readJobFilter } from '../jobs/read-job-filter.ts';
import { searchedJson } from '../jobs/searched-json.ts';
import { unknownNames } from '../jobs/unknown-names.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';

const PLACE = { id: new RegExp(UUID_PATTERN) };

/** `GET /jobs`: newest first. */
export function listJobsRoute(app: FastifyInstance, parts: Parts): void {
  const { db, clock, cursors, counting } = parts;
  app.get<{ Querystring: JobQuery }>(
    '/jobs',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listJobs',
        tags: ['jobs'],
        summary: 'List jobs, newest first',
        description:
          'Besides these filters `?meta.<name>=<text>` finds jobs by a note. What no index tells is found by looking at jobs one by one, newest first, as far as one answer may: see `searched`.',
        querystring: JobQuerySchema,
        response: { 200: answer('A page of jobs.', 'JobPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { query, caller } = request;
      const { limit = PAGE_SIZE } = query;
      const list = cursors.of(request);
      const after = list.read(PLACE)?.id;
      const filter = readJobFilter(query, caller);
      const { jobs, next, searched } = await listJobs(db, { ...filter, after, limit, now: clock() });
      const items = jobs.map(listedJobJson);
      let total: Total | undefined;
      if (after === undefined) {
        if (next === undefined) total = { value: items.length, capped: false };
        else if (!searched) total = await counting.jobs(filter);
      }
      const more = total?.value === 0 ? await unknownNames(parts, caller, filter) : {};
      return reply.send({
        items,
        nextCursor: next === undefined ? null : list.write({ id: next }),
        ...(total ? { total } : {}),
        ...(searched ? { searched: searchedJson(searched) } : {}),
        ...more,
      });
    },
  );
}
