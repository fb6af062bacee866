import { type JobPatch, JobPatchSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { auditMove } from '../audit/audit-jobs.ts';
import { auditNote } from '../audit/audit-note.ts';
import { jobJson } from '../jobs/job-json.ts';
import { moveJob } from '../jobs/move-job.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { readTime } from '../requests/read-time.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

/** `PATCH /jobs/{id}`: of what has not begun. */
export function patchJobRoute(app: FastifyInstance, { db, move }: Parts): void {
  app.patch<{ Params: { id: string }; Body: JobPatch }>(
    '/jobs/:id',
    {
      config: { role: 'operator', scope: 'job' },
      schema: {
        operationId: 'patchJob',
        tags: ['jobs'],
        summary: 'Change the time or the priority of a job that has not begun',
        params: JOB_PARAMS,
        body: JobPatchSchema,
        response: { 200: answer('The job as it is then.', 'Job'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { id } = await findJob(db, request.params.id);
      const { runAt, priority } = request.body;
      const change = { priority, ...(runAt === undefined ? {} : { runAt: readTime(runAt, '/runAt') }) };
      await moveJob(move, id, change, auditMove(auditNote(request), id, 'job.change'));
      request.log.info({ job: id, by: request.caller.id, runAt, priority }, 'job changed');
      return reply.send(jobJson(await findJob(db, id)));
    },
  );
}

/** `POST /jobs/{id}/run-now`: a job that waits for its time, or for its next attempt, waits no more. */
export function runJobNowRoute(app: FastifyInstance, { db, move, clock }: Parts): void {
  app.post<{ Params: { id: string } }>(
    '/jobs/:id/run-now',
    {
      config: { role: 'operator', scope: 'job' },
      schema: {
        operationId: 'runJobNow',
        tags: ['jobs'],
        summary: 'Run a job now that waits for its time',
        description:
          'Queues a delayed job, or one that waits for its next attempt. One that is due stays as it is.',
        params: JOB_PARAMS,
        body: Type.Object({}, { additionalProperties: false, title: 'RunNowRequest' }),
        response: { 200: answer('The job as it is then.', 'Job'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { id } = await findJob(db, request.params.id);
      await moveJob(move, id, { runAt: clock() }, auditMove(auditNote(request), id, 'job.run-now'));
      request.log.info({ job: id, by: request.caller.id }, 'job runs now');
      return reply.send(jobJson(await findJob(db, id)));
    },
  );
}
