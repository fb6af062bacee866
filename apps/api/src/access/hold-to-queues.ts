import { isName } from '@jetbeat/core';
import { getSchedule } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { deadLetterNotFound, findDeadLetter } from '../dead-letters/find-dead-letter.ts';
import { taskNotFound } from '../fleet/find-task.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { notFound as queueNotFound } from '../queues/find-queue.ts';
import { findJob, jobNotFound } from '../routes/get-job.ts';
import { found } from '../routes/get-schedule.ts';
import { scheduleNotFound } from '../schedules/schedule-not-found.ts';
import { maySeeQueue, needEveryQueue, needQueue } from './caller.ts';
import type { RouteScope } from './route-policy.ts';
import { seesSchedule } from './schedule-queue.ts';
import { seesTask } from './sees-task.ts';

type Look = (request: FastifyRequest, param: (name: string) => string) => Promise<void> | void;

/**
 * Holds a caller that is for some queues only to these: what a path names of another queue is answered as what there is not at all, in the
 * same words and from the same question, so that nobody learns which it is. It is here, before the handlers, so that none of
 * them can forget it.
 */
export function holdToQueues(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  const looks: Readonly<Record<RouteScope, Look>> = {
    none: () => {},
    list: () => {},
    new: () => {},
    batch: () => {},
    worker: () => {},
    every: ({ caller }) => needEveryQueue(caller),
    queue({ caller, method }, param) {
      const queue = param('queue');
      if (maySeeQueue(caller, queue)) return;
      // It would be made, so that a refusal tells nothing.
      if (method === 'PUT') needQueue(caller, queue, { pointer: 'queue', isSaid: true });
      throw outside(queueNotFound(queue));
    },
    async job({ caller }, param) {
      const { queue } = await findJob(db, param('id'));
      if (!maySeeQueue(caller, queue)) throw outside(jobNotFound(param('id')));
    },
    async 'dead-letter'({ caller }, param) {
      const { job, message } = await findDeadLetter(parts, param('jobId'), { discarded: true });
      if (!maySeeQueue(caller, job ? job.queue : message.queue))
        throw outside(deadLetterNotFound(param('jobId')));
    },
    async schedule({ caller, method }, param) {
      const name = param('name');
      const schedule = isName('schedule', name) ? await getSchedule(db, name) : undefined;
      // It would be made, and its queue is looked at then.
      if (!schedule && method === 'PUT') return;
      const { settings } = parts;
      if (seesSchedule(found(schedule, name), { caller, settings, fleet: await parts.fleet() })) return;
      // Names are shared by all: whoever makes one is told that it is taken, here as by `POST`.
      if (method === 'PUT') throw scheduleExists(name);
      throw outside(scheduleNotFound(name));
    },
    async task({ caller }, param) {
      const name = param('task');
      if (!seesTask(caller, name, parts.settings, await parts.fleet())) throw outside(taskNotFound(name));
    },
  };
  app.addHook('preHandler', async (request) => {
    // Who is nobody is at a route for anyone.
    if (!request.caller || request.caller.queues === undefined) return;
    // A route without a scope does not start; should it, it is closed.
    const { scope = 'every' } = request.routeOptions.config;
    const params = request.params as Readonly<Record<string, string>>;
    await looks[scope](request, (name) => params[name] ?? '');
  });
}

/** The same answer, counted as what it is. */
function outside({ code, message }: ApiError): ApiError {
  return new ApiError(code, message, { counted: 'other_queue' });
}

/** The error for a name that another schedule has. */
function scheduleExists(name: string): ApiError {
  return new ApiError('schedule_exists', `there is a schedule named ${JSON.stringify(name)} already`);
}
