import { type CancelRequest, CancelRequestSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { auditCancel } from '../audit/audit-jobs.ts';
import { auditNote } from '../audit/audit-note.ts';
import { cancelJob } from '../jobs/cancel-job.ts';
import { jobJson } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

/** `POST /jobs/{id}/cancel`. Cancelling twice is one cancel. */
export function cancelJobRoute(app: FastifyInstance, { db, cancel }: Parts): void {
  app.post<{ Params: { id: string }; Body: CancelRequest }>(
    '/jobs/:id/cancel',
    {
      config: { role: 'operator', scope: 'job' },
      schema: {
        operationId: 'cancelJob',
        tags: ['jobs'],
        summary: 'Cancel a job',
        description:
          'What has not begun is cancelled at once. What runs is told to stop: the job is `cancelling` until its handler has ended, and `succeeded` if that ends well all the same. A cancel that was accepted holds: `cancelRequestedAt` says since when, and what could not be done at once is done later.',
        params: JOB_PARAMS,
        body: CancelRequestSchema,
        response: {
          200: answer('The cancelled job.', 'Job'),
          202: answer('The job, which is being cancelled, or stopped where it runs.', 'Job'),
          ...problems(400, 404, 409, 415),
        },
      },
    },
    async (request, reply) => {
      const { id } = await findJob(db, request.params.id);
      const { reason } = request.body;
      const { left } = await cancelJob(cancel, id, reason, auditCancel(auditNote(request, reason), id));
      if (left !== undefined) request.log.warn({ err: left, job: id }, 'a recorder carries the cancel out');
      request.log.info({ job: id, by: request.caller.id }, 'job cancelled');
      const job = await findJob(db, id);
      return reply.status(job.state === 'cancelled' ? 200 : 202).send(jobJson(job));
    },
  );
}
