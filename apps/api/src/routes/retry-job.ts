import { describeIssues, type JobAccepted, type RetryRequest, RetryRequestSchema } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { warningsFor } from '../fleet.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { retryOf } from '../retry-job.ts';
import { submitJob } from '../submit-job.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

/** `POST /jobs/{id}/retry`: a new job in place of one that is over. */
export function retryJobRoute(app: FastifyInstance, parts: Parts): void {
  const { db, fleet, checkInput, settings } = parts;
  app.post<{ Params: { id: string }; Body: RetryRequest }>(
    '/jobs/:id/retry',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'retryJob',
        tags: ['jobs'],
        summary: 'Run a finished job once more, as a new job',
        description:
          'The new job has the task, queue, priority, policy, notes and schedule of the old one, and its input or another one. `retryOf` and `retriedBy` lead from one to the other.',
        params: JOB_PARAMS,
        body: RetryRequestSchema,
        response: {
          202: answer('Accepted: the new job.', 'JobAccepted'),
          ...problems(400, 404, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const old = await findJob(db, request.params.id);
      const known = await fleet();
      const task = known.tasks.get(old.task);
      const configured = settings.of(old.task);
      const { job } = await submitJob(parts, request, (place) => {
        const made = retryOf({ old, request: request.body, task, configured, ...place });
        const issues = task ? checkInput(task, made.envelope.input, '/input') : [];
        if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
        return made;
      });
      const { envelope, state } = job;
      const { id } = envelope;
      request.log.info({ job: id, retryOf: old.id, by: request.keyId }, 'job retried');
      const accepted: JobAccepted = { id, state, created: true, warnings: warningsFor(known, envelope) };
      return reply.status(202).header('location', `/api/v1/jobs/${id}`).send(accepted);
    },
  );
}
