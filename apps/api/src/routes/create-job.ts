import { describeIssues } from '@jetbeat/core';
import {
  type JobAccepted,
  type JobRequest,
  JobRequestSchema,
  type WaitQuery,
  WaitQuerySchema,
} from '@jetbeat/core/http';
import type { NewJob } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { holderOf } from '../access/caller.ts';
import { fleetSeenBy } from '../access/sees-task.ts';
import { warningsFor } from '../fleet/fleet.ts';
import { acceptJob } from '../jobs/accept-job.ts';
import { jobJson } from '../jobs/job-json.ts';
import type { StoredJob } from '../jobs/store-job.ts';
import { submitJob } from '../jobs/submit-job.ts';
import { readWait, waitsOf } from '../jobs/wait-for-end.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `POST /jobs`: accepted when PostgreSQL has committed it; it is published behind the answer. */
export function createJobRoute(app: FastifyInstance, parts: Parts): void {
  const { fleet, checkInput, settings, waiting } = parts;
  app.post<{ Body: JobRequest; Querystring: WaitQuery }>(
    '/jobs',
    {
      config: { role: 'operator', scope: 'new', waits: waitsOf, leavesNoRow: true },
      schema: {
        operationId: 'createJob',
        tags: ['jobs'],
        summary: 'Run a task',
        description:
          'The job is accepted when it is stored, also while no worker serves its task: then there is a warning.',
        querystring: WaitQuerySchema,
        body: JobRequestSchema,
        response: {
          200: answer('Accepted, and finished within `wait`, however it ended.', 'Job', 'Location'),
          202: answer('Accepted.', 'JobAccepted', 'Location'),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const waitMs = readWait(request.query.wait);
      const known = await fleet();
      const task = known.tasks.get(body.task);
      const issues = task ? checkInput(task, body.input, '/input') : [];
      if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
      const { job, stored } = await submitJob(parts, request, (place) =>
        acceptJob({ request: body, task, settings, ...place }),
      );
      const made = storedJson(job, stored);
      const { id } = made;
      void reply.header('location', `/api/v1/jobs/${id}`);
      if (stored.existing && stored.own) void reply.header('idempotent-replayed', 'true');
      const holder = holderOf(request.caller);
      const { ended, notWaited } =
        waitMs === undefined ? {} : await waiting.forEnd({ id, holder, waitMs, request: request.raw });
      if (ended) return reply.status(200).send(jobJson(ended));
      // Whoever waits, and asks again, wants to wait again.
      if (waitMs !== undefined && request.repeatable) request.repeatable.keep = false;
      const accepted: JobAccepted = {
        ...made,
        warnings: [
          ...warningsFor(fleetSeenBy(request.caller, known), job.envelope),
          ...(notWaited === undefined ? [] : [{ code: 'not_waited', message: notWaitedFor(id, notWaited) }]),
        ],
      };
      return reply.status(202).send(accepted);
    },
  );
}

function notWaitedFor(id: string, why: string): string {
  return `nobody has waited for the end of the job: ${why}; ask GET /api/v1/jobs/${id} for it, after a pause`;
}

function storedJson(job: NewJob, stored: StoredJob): Omit<JobAccepted, 'warnings'> {
  if (stored.existing) return { ...stored.existing, created: stored.own === true };
  const { replaced } = stored;
  const made = { id: job.envelope.id, state: job.state, created: true };
  return replaced === undefined ? made : { ...made, replaced };
}
