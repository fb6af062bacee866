import { randomBytes } from 'node:crypto';
import { encodeEnvelope, type JobAccepted, type JobRequest, JobRequestSchema, uuidV7 } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { acceptJob } from '../accept-job.ts';
import { warningsFor } from '../fleet.ts';
import type { Parts } from '../parts.ts';
import { ApiError, sentence } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';

/** What a message has beside the envelope: headers with ids, target and trace. */
const HEADER_BYTES = 1_024;

/** `POST /jobs`: accepted when PostgreSQL has committed it; it is published behind the answer. */
export function createJobRoute(app: FastifyInstance, parts: Parts): void {
  const { insertJob, publish, fleet, checkInput, maxPayload, clock } = parts;
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
      if (issues.length > 0) throw new ApiError('invalid_input', sentence(issues), { issues });
      const id = uuidV7(now, randomBytes(10));
      const job = acceptJob({ request: body, task, id, now, traceparent: request.id });
      const { envelope, traceparent, state } = job;
      refuseOversized(encodeEnvelope(envelope).byteLength + HEADER_BYTES, maxPayload());
      await insertJob(job);
      publish({ envelope, traceparent, ...(state === 'scheduled' ? { at: envelope.runAt } : {}) });
      request.log.info({ job: id, task: envelope.task, queue: envelope.queue, state }, 'job accepted');
      const accepted: JobAccepted = { id, state, created: true, warnings: warningsFor(known, envelope) };
      return reply.status(202).header('location', `/api/v1/jobs/${id}`).send(accepted);
    },
  );
}

function refuseOversized(bytes: number, most: number): void {
  if (bytes <= most) return;
  const message = `the job would be a message of ${bytes} bytes, and the NATS server takes ${most}: give a reference instead of the data`;
  throw new ApiError('payload_too_large', message, {
    issues: [{ pointer: '/input', code: 'too_large', message }],
  });
}
