import { type JobCountsQuery, JobCountsQuerySchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { readJobFilter } from '../jobs/read-job-filter.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `GET /jobs/counts`: by state. */
export function countJobsRoute(app: FastifyInstance, { counting }: Parts): void {
  app.get<{ Querystring: JobCountsQuery }>(
    '/jobs/counts',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'countJobs',
        tags: ['jobs'],
        summary: 'Count jobs by state',
        description: 'With the filters of the list of jobs, `?meta.<name>=<text>` too.',
        querystring: JobCountsQuerySchema,
        response: { 200: answer('How many there are in each state.', 'JobCounts'), ...problems(400) },
      },
    },
    async ({ query, caller }, reply) => reply.send(await counting.jobsByState(readJobFilter(query, caller))),
  );
}
