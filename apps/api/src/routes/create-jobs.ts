import { type JobsAccepted, type JobsRequest, JobsRequestSchema, type Warning } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { fleetSeenBy } from '../access/sees-task.ts';
import { warningsFor } from '../fleet/fleet.ts';
import { type SubmittedEach, submitJobs } from '../jobs/submit-jobs.ts';
import type { Parts } from '../parts.ts';
import { problemStatus } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

const MAX_WARNINGS = 20;

/** `POST /jobs/batch`: each is accepted or refused by itself. */
export function createJobsRoute(app: FastifyInstance, parts: Parts): void {
  app.post<{ Body: JobsRequest }>(
    '/jobs/batch',
    {
      config: { role: 'operator', scope: 'new' },
      schema: {
        operationId: 'createJobs',
        tags: ['jobs'],
        summary: 'Run many tasks',
        description:
          'Up to 1,000 jobs, each accepted or refused by itself: `items` says which, in the order of the request. Where none is accepted the answer is the problem of the first.',
        body: JobsRequestSchema,
        response: {
          202: answer('What became of each of them; at least one is accepted.', 'JobsAccepted'),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const found = await submitJobs(parts, request, request.body.jobs);
      const errors = found.flatMap((one) => ('error' in one ? [one.error] : []));
      const [first] = errors;
      if (first && errors.length === found.length) throw first;
      const accepted = found.length - errors.length;
      // What failed for a reason of the moment is tried again by a repeat, and what was accepted is found.
      const isPassing = errors.some(({ code }) => problemStatus(code) >= 500);
      if (isPassing && request.repeatable) request.repeatable.keep = false;
      request.log.info({ accepted, refused: errors.length }, 'jobs accepted');
      const body: JobsAccepted = {
        items: found.map(itemJson),
        ...{ accepted, refused: errors.length },
        warnings: warningsOf(found, fleetSeenBy(request.caller, await parts.fleet())),
      };
      return reply.status(202).send(body);
    },
  );
}

function itemJson(one: SubmittedEach): JobsAccepted['items'][number] {
  if ('error' in one) {
    const { code, message: detail, issues } = one.error;
    return {
      error: { code, status: problemStatus(code), detail, errors: issues.map((issue) => ({ ...issue })) },
    };
  }
  const { job, stored } = one;
  if (!stored.existing) {
    const { replaced } = stored;
    const made = { id: job.envelope.id, state: job.state, created: true };
    return replaced === undefined ? made : { ...made, replaced };
  }
  const { id, state } = stored.existing;
  return { id, state, created: stored.own === true };
}

/** One for each task and queue that nobody serves. */
function warningsOf(found: readonly SubmittedEach[], fleet: Parameters<typeof warningsFor>[0]): Warning[] {
  const warnings = new Map<string, Warning>();
  const seen = new Set<string>();
  for (const one of found) {
    if ('error' in one || warnings.size >= MAX_WARNINGS) continue;
    const { task, queue } = one.job.envelope;
    const place = `${task} ${queue}`;
    if (seen.has(place)) continue;
    seen.add(place);
    for (const warning of warningsFor(fleet, { task, queue })) warnings.set(warning.message, warning);
  }
  return [...warnings.values()];
}
