import { type QueueRequest, QueueRequestSchema } from '@jetbeat/core/http';
import { changeQueue } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownQueue } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { editQueue } from '../queues/edit-queue.ts';
import { isQueue, notFound, QUEUE_PARAMS, showQueue } from '../queues/find-queue.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { type Conditions, conditionsOf, ifMatchOf, onlyIfNone } from '../requests/preconditions.ts';

const WAYS = [
  {
    method: 'PUT',
    operationId: 'putQueue',
    summary:
      'Set the limits of a queue, which is made where it is missing; what is left out is as configured',
  },
  { method: 'PATCH', operationId: 'changeQueue', summary: 'Change limits of a queue' },
] as const;

/** `PUT` and `PATCH /queues/{name}`: stored, then told to every worker, also where it was stored before and not told. */
export function putQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues, clock } = parts;
  for (const { method, operationId, summary } of WAYS) {
    const isPut = method === 'PUT';
    const made = { 201: answer('The queue, which was made.', 'Queue', 'ETag', 'Location') };
    app.route<{ Params: { queue: string }; Headers: Conditions; Body: QueueRequest }>({
      method,
      url: '/queues/:queue',
      config: {
        role: 'operator',
        scope: 'queue',
        headers: isPut ? ['if-match', 'if-none-match'] : ['if-match'],
      },
      schema: {
        operationId,
        tags: ['queues'],
        summary,
        params: QUEUE_PARAMS,
        headers: isPut ? conditionsOf('the queue') : ifMatchOf('the queue'),
        body: QueueRequestSchema,
        response: {
          200: answer('The queue.', 'Queue', 'ETag'),
          ...(isPut ? made : {}),
          ...problems(400, 404, 409, 415, ...(isPut ? [412] : [])),
        },
      },
      handler: async (request, reply) => {
        const { queue: name } = request.params;
        const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
        const ifNone = onlyIfNone(ifNoneMatch);
        const isThere = await isQueue(parts, name);
        // Whoever names a version has read a queue that is gone.
        if (!isThere && (!isPut || ifMatch !== undefined)) throw notFound(name);
        const { change, done } = editQueue(request.body, { name, isPut, isThere, ifMatch, ifNone });
        const audit = auditOf(request, 'queue.change', { kind: 'queue', id: name }, shownQueue);
        const queue = await changeQueue(db, { name, now: clock(), audit, change });
        await queues.tell(queue);
        await queues.makeLanes(name);
        const { changed, created } = done();
        if (changed) request.log.info({ queue: name, by: request.caller.id }, 'limits of a queue changed');
        if (created) void reply.status(201).header('location', request.url);
        return reply.header('etag', entityTag(queue.version)).send(await showQueue(parts, name, queue));
      },
    });
  }
}
