import { randomBytes } from 'node:crypto';
import {
  describeIssues,
  encodeEnvelope,
  type JobAccepted,
  type JobRequest,
  JobRequestSchema,
  uuidV7,
} from '@jetbeat/core';
import { DatabaseUnavailableError } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { acceptJob } from '../accept-job.ts';
import { warningsFor } from '../fleet.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { refuseOversized } from '../refuse-oversized.ts';
import { callersTrace } from '../trace.ts';

/** A full store empties at the speed of the workers; seconds. */
const RETRY_FULL = 5;

/** `POST /jobs`: accepted when PostgreSQL has committed it; it is published behind the answer. */
export function createJobRoute(app: FastifyInstance, parts: Parts): void {
  const { insertJob, publish, fleet, checkInput, maxPayload, refusal, clock, sends } = parts;
  app.post<{ Body: JobRequest }>(
    '/jobs',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'createJob',
        tags: ['jobs'],
        summary: 'Run a task',
        description:
          'The job is accepted when it is stored, also while no worker serves its task: then there is a warning.',
        body: JobRequestSchema,
        response: { 202: answer('Accepted.', 'JobAccepted'), ...problems(400, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const now = clock();
      const known = await fleet();
      const task = known.tasks.get(body.task);
      const issues = task ? checkInput(task, body.input, '/input') : [];
      if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
      const id = uuidV7(now, randomBytes(10));
      const span = sends?.place();
      const caller = span?.traceparent ?? callersTrace(request.headers.traceparent);
      const job = acceptJob({ request: body, task, id, now, traceparent: caller });
      const { envelope, traceparent, state } = job;
      refuseOversized({
        envelope: encodeEnvelope(envelope).byteLength,
        most: maxPayload(),
        pointer: '/input',
      });
      const full = refusal();
      if (full !== undefined) throw new ApiError('storage_full', full, { retryAfter: RETRY_FULL });
      await insertJob(job).catch((error: unknown) => {
        throw error instanceof DatabaseUnavailableError ? unknownWhether(id, error) : error;
      });
      const message = { envelope, traceparent, ...(state === 'scheduled' ? { at: envelope.runAt } : {}) };
      publish(span && sends ? sends.from(message, span.parent) : message);
      request.log.info({ job: id, task: envelope.task, queue: envelope.queue, state }, 'job accepted');
      const accepted: JobAccepted = { id, state, created: true, warnings: warningsFor(known, envelope) };
      return reply.status(202).header('location', `/api/v1/jobs/${id}`).send(accepted);
    },
  );
}

/** PostgreSQL may commit what it did not answer any more. */
function unknownWhether(id: string, cause: unknown): ApiError {
  const message = `PostgreSQL did not answer; the job may have been stored all the same, as ${id}: look for it before you repeat`;
  return new ApiError('database_unavailable', message, { retryAfter: 2, cause });
}
