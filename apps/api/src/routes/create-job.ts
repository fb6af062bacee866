import {
  describeIssues,
  type JobAccepted,
  type JobRequest,
  JobRequestSchema,
  type WaitQuery,
  WaitQuerySchema,
} from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { acceptJob } from '../accept-job.ts';
import { warningsFor } from '../fleet.ts';
import { jobJson } from '../job-json.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { submitJob } from '../submit-job.ts';
import { readWait } from '../wait-for-end.ts';

/** `POST /jobs`: accepted when PostgreSQL has committed it; it is published behind the answer. */
export function createJobRoute(app: FastifyInstance, parts: Parts): void {
  const { fleet, checkInput, settings, waiting } = parts;
  app.post<{ Body: JobRequest; Querystring: WaitQuery }>(
    '/jobs',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'createJob',
        tags: ['jobs'],
        summary: 'Run a task',
        description:
          'The job is accepted when it is stored, also while no worker serves its task: then there is a warning.',
        querystring: WaitQuerySchema,
        body: JobRequestSchema,
        response: {
          200: answer('Accepted, and finished within `wait`, however it ended.', 'Job'),
          202: answer('Accepted.', 'JobAccepted'),
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
      const { id, state } = stored.existing ?? { id: job.envelope.id, state: job.state };
      void reply.header('location', `/api/v1/jobs/${id}`);
      const ended =
        waitMs === undefined ? undefined : await waiting.forEnd({ id, waitMs, request: request.raw });
      if (ended) return reply.status(200).send(jobJson(ended));
      const accepted: JobAccepted = {
        ...{ id, state, created: !stored.existing },
        ...(stored.existing || stored.replaced === undefined ? {} : { replaced: stored.replaced }),
        warnings: warningsFor(known, job.envelope),
      };
      return reply.status(202).send(accepted);
    },
  );
}
