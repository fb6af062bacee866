import { describeIssues, type JobAccepted, type RetryRequest } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { warningsFor } from './fleet.ts';
import type { Parts } from './parts.ts';
import { ApiError } from './problem.ts';
import { retryOf } from './retry-job.ts';
import { submitJob } from './submit-job.ts';

/**
 * Stores a new job in place of one that is over, and answers with it.
 * @param params.what for the log, what has become of the old one
 * @throws ApiError invalid_input, and what `retryOf` and `submitJob` throw
 */
export async function submitRetry(
  parts: Parts,
  params: {
    readonly old: JobRecord;
    readonly request: FastifyRequest<{ Body: RetryRequest }>;
    readonly reply: FastifyReply;
    readonly what: string;
  },
): Promise<FastifyReply> {
  const { old, request, reply, what } = params;
  const known = await parts.fleet();
  const task = known.tasks.get(old.task);
  const configured = parts.settings.of(old.task);
  const { job } = await submitJob(parts, request, (place) => {
    const made = retryOf({ old, request: request.body, task, configured, ...place });
    const issues = task ? parts.checkInput(task, made.envelope.input, '/input') : [];
    if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
    return made;
  });
  const { envelope, state } = job;
  const { id } = envelope;
  request.log.info({ job: id, retryOf: old.id, by: request.keyId }, what);
  const accepted: JobAccepted = { id, state, created: true, warnings: warningsFor(known, envelope) };
  return reply.status(202).header('location', `/api/v1/jobs/${id}`).send(accepted);
}
