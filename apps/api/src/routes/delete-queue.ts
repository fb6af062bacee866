import { countByQueue, deleteQueue, getQueue, noteAudit } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownQueue } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { problems } from '../problems/problem-responses.ts';
import { checkUnused } from '../queues/check-unused.ts';
import { stale } from '../queues/edit-queue.ts';
import { checkQueue, QUEUE_PARAMS } from '../queues/find-queue.ts';
import { matches } from '../requests/entity-tag.ts';
import { type IfMatch, ifMatchOf } from '../requests/preconditions.ts';

/** `DELETE /queues/{name}`: of one that nobody uses; the history of its jobs stays, and a job or a worker makes it again. */
export function deleteQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues } = parts;
  app.delete<{ Params: { queue: string }; Headers: IfMatch }>(
    '/queues/:queue',
    {
      config: { role: 'operator', scope: 'queue', headers: ['if-match'] },
      schema: {
        operationId: 'deleteQueue',
        tags: ['queues'],
        summary: 'Delete a queue that is not used; the history of its jobs stays',
        params: QUEUE_PARAMS,
        headers: ifMatchOf('the queue'),
        response: { 204: { description: 'Deleted.', type: 'null' }, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      const { queue: name } = request.params;
      const { 'if-match': ifMatch } = request.headers;
      await checkQueue(parts, name);
      const { workers } = await queues.picture();
      const { counts } = await countByQueue(db, name);
      const uses = {
        isConfigured: queues.isConfigured(name),
        workers: workers.get(name) ?? [],
        hasJobs: counts.length > 0 || (await queues.hasMessages(name)),
      };
      const known = await getQueue(db, name);
      checkUnused(name, { queue: known, ...uses });
      if (!matches(ifMatch, known?.version ?? 0)) throw stale(known ?? { name, version: 0 }, ifMatch ?? '');
      const audit = auditOf(request, 'queue.delete', { kind: 'queue', id: name }, shownQueue);
      const deleted = await deleteQueue(db, {
        name,
        audit,
        check(queue) {
          // A purge or a configuration may have come meanwhile.
          checkUnused(name, { queue, ...uses });
          if (!matches(ifMatch, queue.version)) throw stale(queue, ifMatch ?? '');
        },
      });
      const removed = await queues.deleteLanes(name);
      // Nothing was said of it, and a worker has made it.
      if (!deleted && removed > 0) await noteAudit(db, audit(undefined, undefined));
      request.log.info({ queue: name, by: request.caller.id, consumers: removed }, 'queue deleted');
      return reply.status(204).send();
    },
  );
}
