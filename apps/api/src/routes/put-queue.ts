import { isName, type QueueRequest, QueueRequestSchema } from '@jetbeat/core';
import { changeQueue, type QueueChange, type QueueRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownQueue } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkQueue, notFound, QUEUE_PARAMS, readRateLimit, showQueue } from '../queues/find-queue.ts';

const WAYS = [
  {
    method: 'PUT',
    operationId: 'putQueue',
    summary:
      'Set the limits of a queue, which is made where it is missing; what is left out is as configured',
  },
  { method: 'PATCH', operationId: 'changeQueue', summary: 'Change limits of a queue' },
] as const;

/** `PUT` and `PATCH /queues/{name}`: stored, then told to every worker. */
export function putQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues, clock } = parts;
  for (const { method, operationId, summary } of WAYS) {
    app.route<{ Params: { queue: string }; Body: QueueRequest }>({
      method,
      url: '/queues/:queue',
      config: { role: 'operator', scope: 'queue' },
      schema: {
        operationId,
        tags: ['queues'],
        summary,
        params: QUEUE_PARAMS,
        body: QueueRequestSchema,
        response: { 200: answer('The queue.', 'Queue'), ...problems(400, 404, 409, 415) },
      },
      handler: async (request, reply) => {
        const { queue: name } = request.params;
        if (!isName('queue', name)) throw notFound(name);
        const { version, ...limits } = readLimits(request.body);
        if (method === 'PATCH') await checkQueue(parts, name);
        const whole = method === 'PUT' ? { concurrency: null, rateLimit: null, maxDepth: null } : {};
        const queue = await changeQueue(db, {
          ...{ name, now: clock() },
          audit: auditOf(request, 'queue.change', { kind: 'queue', id: name }, shownQueue),
          change(found) {
            checkVersion(found, version);
            return { ...whole, ...limits };
          },
        });
        await queues.makeLanes(name);
        await queues.tell(queue);
        request.log.info({ queue: name, by: request.caller.id }, 'limits of a queue changed');
        return reply.send(await showQueue(parts, name, queue));
      },
    });
  }
}

function readLimits({ rateLimit, ...rest }: QueueRequest): QueueChange & { version?: number } {
  if (rateLimit === undefined) return rest;
  return { ...rest, rateLimit: rateLimit && readRateLimit(rateLimit) };
}

function checkVersion({ name, version }: QueueRecord, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  const message = `the queue ${name} has version ${version} by now, not ${expected}: read it again`;
  throw new ApiError('queue_changed', message);
}
