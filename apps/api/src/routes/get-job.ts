import { isTerminal, isUuid } from '@jetbeat/core';
import { type EndQuery, EndQuerySchema, type Job } from '@jetbeat/core/http';
import {
  calledBy,
  type Database,
  getJob,
  type JobWithAttempts,
  retriesOf,
  type UnmadeRecord,
  unmadeOf,
} from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { holderOf, maySeeQueue } from '../access/caller.ts';
import { fleetSeenBy } from '../access/sees-task.ts';
import { reasonNow } from '../fleet/fleet.ts';
import { jobJson, timeText } from '../jobs/job-json.ts';
import { policyJson } from '../jobs/policy-json.ts';
import { readWait, waitsOf } from '../jobs/wait-for-end.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** The path of one job. What is no id names no job, and is answered so. */
export const JOB_PARAMS = Type.Object({
  id: Type.String({ maxLength: 512, description: 'Id of the job, a UUID.' }),
});

/** `GET /jobs/{id}`; with `wait` after its end, if that comes in time. */
export function getJobRoute(app: FastifyInstance, { db, fleet, settings, waiting }: Parts): void {
  app.get<{ Params: { id: string }; Querystring: EndQuery }>(
    '/jobs/:id',
    {
      config: { role: 'viewer', scope: 'job', waits: waitsOf },
      schema: {
        operationId: 'getJob',
        tags: ['jobs'],
        summary: 'Get a job with its attempts',
        params: JOB_PARAMS,
        querystring: EndQuerySchema,
        response: { 200: answer('The job.', 'Job'), ...problems(400, 404) },
      },
    },
    async ({ params, query, caller, raw }, reply) => {
      const waitMs = readWait(query.wait);
      const seen = await findJob(db, params.id);
      const { id } = seen;
      const isOpen = waitMs !== undefined && !isTerminal(seen.state);
      const holder = holderOf(caller);
      const { ended } = isOpen ? await waiting.forEnd({ id, holder, waitMs, request: raw }) : {};
      const job = ended ?? (isOpen ? await findJob(db, id) : seen);
      const [retriedBy, called, unmade, whole] = await Promise.all([
        retriesOf(db, job),
        calledBy(db, job),
        job.finishedAt === undefined ? [] : unmadeOf(db, job.id),
        fleet(),
      ]);
      const known = fleetSeenBy(caller, whole);
      const callbacks = called
        .filter(({ queue }) => maySeeQueue(caller, queue))
        .map(({ id, task, state }) => ({ id, task, state }));
      const reason = reasonNow(known, job);
      return reply.send({
        ...jobJson(reason === undefined ? job : { ...job, reason }, retriedBy),
        ...(callbacks.length === 0 ? {} : { callbacks }),
        ...(unmade.length === 0 ? {} : { unmade: unmade.map(unmadeJson) }),
        policy: policyJson(job, { settings, tasks: known.tasks, caller }),
      });
    },
  );
}

function unmadeJson({ what, tries, since, nextAt, error }: UnmadeRecord): NonNullable<Job['unmade']>[number] {
  const nextTryAt = nextAt === undefined ? null : timeText(nextAt);
  // The rest of it names a rule by what it says.
  return { what: what.replace(/^notice:.*/, 'notice'), tries, since: timeText(since), nextTryAt, error };
}

/**
 * The job with this id.
 * @throws ApiError job_not_found
 */
export async function findJob(db: Database, text: string): Promise<JobWithAttempts> {
  const id = text.toLowerCase();
  const job = isUuid(id) ? await getJob(db, id) : undefined;
  if (!job) throw jobNotFound(text);
  return job;
}

/** The error for a job that is not there. */
export function jobNotFound(text: string): ApiError {
  return new ApiError('job_not_found', `no job has the id ${JSON.stringify(text.slice(0, 64))}`);
}
