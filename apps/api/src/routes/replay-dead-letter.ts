import { type ReplayRequest, ReplayRequestSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { DEAD_LETTER_PARAMS, findDeadLetter } from '../dead-letters/find-dead-letter.ts';
import { withInput } from '../dead-letters/replay-dead.ts';
import { submitRetry } from '../jobs/submit-retry.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `POST /dead-letters/{id}/replay`: a new job in place of a dead one, with the same input or another one. */
export function replayDeadLetterRoute(app: FastifyInstance, parts: Parts): void {
  app.post<{ Params: { jobId: string }; Body: ReplayRequest }>(
    '/dead-letters/:jobId/replay',
    {
      config: { role: 'operator', scope: 'dead-letter' },
      schema: {
        operationId: 'replayDeadLetter',
        tags: ['dead letters'],
        summary: 'Run a dead job once more, as a new job',
        description:
          'The new job has the task, queue, priority, policy, notes, schedule and nominal time of the dead one, and its input or another one. A message that never was a job cannot be replayed.',
        params: DEAD_LETTER_PARAMS,
        body: ReplayRequestSchema,
        response: {
          202: answer('Accepted: the new job.', 'JobAccepted', 'Location'),
          ...problems(400, 404, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { job: dead } = await findDeadLetter(parts, request.params.jobId);
      if (!dead) {
        const message =
          'this never was a job, so there is nothing to run: read it, and enqueue what was meant';
        throw new ApiError('never_a_job', message);
      }
      const old = await withInput(parts, dead);
      const what = 'dead letter replayed';
      return submitRetry(parts, { old, request, reply, what, action: 'dead-letter.replay' });
    },
  );
}
