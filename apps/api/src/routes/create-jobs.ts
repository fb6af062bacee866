import { type JobsAccepted, type JobsRequest, JobsRequestSchema, type Warning } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { fleetSeenBy } from '../access/sees-task.ts';
import { warningsFor } from '../fleet/fleet.ts';
import { type SubmittedEach, submitJobs } from '../jobs/submit-jobs.ts';
import type { Parts } from '../parts.ts';
import { isPassing } from '../problems/is-passing.ts';
import { type ApiError, problemStatus } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

const MAX_WARNINGS = 20;
/** So many are told of one that is wrong: there are a thousand. */
const MAX_PLACES = 8;
/** Of all jobs together. */
const MAX_KEYS = 100_000;

/** `POST /jobs/batch`: each is accepted or refused by itself. */
export function createJobsRoute(app: FastifyInstance, parts: Parts): void {
  app.post<{ Body: JobsRequest }>(
    '/jobs/batch',
    {
      config: { role: 'operator', scope: 'new', maxKeys: MAX_KEYS, leavesNoRow: true },
      schema: {
        operationId: 'createJobs',
        tags: ['jobs'],
        summary: 'Run many tasks',
        description:
          'Up to 1,000 jobs, each accepted or refused by itself: `items` says which, in the order of the request. Where none is accepted the answer is a problem: of the first that may be accepted in a moment, else of the first.',
        body: JobsRequestSchema,
        response: {
          202: answer('What became of each of them; at least one is accepted.', 'JobsAccepted'),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const isOver = () => reply.raw.headersSent || reply.raw.destroyed;
      const found = await submitJobs(parts, request, request.body.jobs, isOver);
      const errors = found.flatMap((one) => ('error' in one ? [one.error] : []));
      // What failed for a reason of the moment is tried again by a repeat, and what was accepted is found.
      if (errors.some(isPassing) && request.repeatable) request.repeatable.keep = false;
      const accepted = found.length - errors.length;
      const told = accepted === 0 && (errors.find(mayComeAgain) ?? errors[0]);
      if (told) throw told;
      request.log.info({ accepted, refused: errors.length }, 'jobs accepted');
      const body: JobsAccepted = {
        items: found.map(itemJson),
        accepted,
        refused: errors.length,
        warnings: warningsOf(found, fleetSeenBy(request.caller, await parts.fleet())),
      };
      return reply.status(202).send(body);
    },
  );
}

/** What says when to come again, or is our own fault, tells more of all than what is wrong with one. */
function mayComeAgain({ code, retryAfter }: ApiError): boolean {
  return retryAfter !== undefined || problemStatus(code) >= 500;
}

function itemJson(one: SubmittedEach): JobsAccepted['items'][number] {
  if ('error' in one) {
    const { code, message: detail, issues } = one.error;
    return {
      error: {
        code,
        status: problemStatus(code),
        detail,
        errors: issues.slice(0, MAX_PLACES).map((issue) => ({ ...issue })),
      },
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
