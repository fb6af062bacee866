import { type RetryRequest, RetryRequestSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { withInput } from '../dead-letters/replay-dead.ts';
import { submitRetry } from '../jobs/submit-retry.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

/** `POST /jobs/{id}/retry`: a new job in place of one that is over. */
export function retryJobRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.post<{ Params: { id: string }; Body: RetryRequest }>(
    '/jobs/:id/retry',
    {
      config: { role: 'operator', scope: 'job' },
      schema: {
        operationId: 'retryJob',
        tags: ['jobs'],
        summary: 'Run a finished job once more, as a new job',
        description:
          'The new job has the task, queue, priority, policy, notes and schedule of the old one, and its input or another one. `retryOf` and `retriedBy` lead from one to the other.',
        params: JOB_PARAMS,
        body: RetryRequestSchema,
        response: {
          202: answer('Accepted: the new job.', 'JobAccepted', 'Location'),
          ...problems(400, 404, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const job = await findJob(db, request.params.id);
      const isAsItWas = job.state === 'dead' && !('input' in request.body);
      const old = isAsItWas ? await withInput(parts, job) : job;
      return submitRetry(parts, { old, request, reply, what: 'job retried', action: 'job.retry' });
    },
  );
}
