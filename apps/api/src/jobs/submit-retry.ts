import type { JobAccepted, RetryRequest } from '@jetbeat/core/http';
import type { JobRecord } from '@jetbeat/postgres';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fleetSeenBy } from '../access/sees-task.ts';
import { auditNote } from '../audit/audit-note.ts';
import { warningsFor } from '../fleet/fleet.ts';
import type { Parts } from '../parts.ts';
import { misfit } from './check-input.ts';
import { retryOf } from './retry-job.ts';
import { type NewPlace, submitJob } from './submit-job.ts';

/** For who may not see the input of the job. */
const MISFIT = 'the input of the job does not fit its task any more: give another one';

/**
 * Stores a new job in place of one that is over, and answers with it.
 * @param params.what for the log, what has become of the old one
 * @param params.action the same for the audit log
 * @throws ApiError invalid_input, and what `retryOf` and `submitJob` throw
 */
export async function submitRetry(
  parts: Parts,
  params: {
    readonly old: JobRecord;
    readonly request: FastifyRequest<{ Body: RetryRequest }>;
    readonly reply: FastifyReply;
    readonly what: string;
    readonly action: 'job.retry' | 'dead-letter.replay';
  },
): Promise<FastifyReply> {
  const { old, request, reply, what, action } = params;
  const note = auditNote(request);
  const known = await parts.fleet();
  const task = known.tasks.get(old.task);
  const configured = parts.settings.of(old.task);
  const mayTell = request.caller.payloads || 'input' in request.body;
  const make = (place: NewPlace) => {
    const made = retryOf({ old, request: request.body, task, configured, ...place });
    const issues = task ? parts.checkInput(task, made.envelope.input, '/input') : [];
    if (issues.length > 0) throw misfit(issues, mayTell ? undefined : MISFIT);
    return made;
  };
  const { job, stored } = await submitJob(parts, request, make, ({ envelope }) => {
    const after = { job: envelope.id, ...('input' in request.body ? { input: request.body.input } : {}) };
    return { note, action, target: { kind: 'job', id: old.id }, after };
  });
  if (stored.existing) void reply.header('idempotent-replayed', 'true');
  const { envelope, state } = job;
  const { id } = envelope;
  request.log.info({ job: id, retryOf: old.id, by: request.caller.id }, what);
  const accepted: JobAccepted = {
    id,
    state,
    created: true,
    warnings: warningsFor(fleetSeenBy(request.caller, known), envelope),
  };
  return reply.status(202).header('location', `/api/v1/jobs/${id}`).send(accepted);
}
