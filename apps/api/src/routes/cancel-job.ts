import { type CancelRequest, CancelRequestSchema } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { cancelJob } from '../cancel-job.ts';
import { jobJson } from '../job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

/** `POST /jobs/{id}/cancel`: of what has not begun. Cancelling twice is one cancel. */
export function cancelJobRoute(app: FastifyInstance, { db, cancel }: Parts): void {
  app.post<{ Params: { id: string }; Body: CancelRequest }>(
    '/jobs/:id/cancel',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'cancelJob',
        tags: ['jobs'],
        summary: 'Cancel a job that has not begun',
        params: JOB_PARAMS,
        body: CancelRequestSchema,
        response: { 200: answer('The cancelled job.', 'Job'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { id } = await findJob(db, request.params.id);
      await cancelJob(cancel, id, request.body.reason);
      request.log.info({ job: id, by: request.keyId }, 'job cancelled');
      return reply.send(jobJson(await findJob(db, id)));
    },
  );
}
