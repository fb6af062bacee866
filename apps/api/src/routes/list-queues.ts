import { listQueues } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { maySeeQueue } from '../access/caller.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { queueJson } from '../queues/queue-json.ts';

/** `GET /queues`: all that have settings, consumers or workers. */
export function listQueuesRoute(app: FastifyInstance, { db, queues, clock }: Parts): void {
  app.get(
    '/queues',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listQueues',
        tags: ['queues'],
        summary: 'List queues with what is in them',
        response: { 200: answer('All queues, in the order of their names.', 'QueueList'), ...problems() },
      },
    },
    async ({ caller }, reply) => {
      const known = new Map((await listQueues(db)).map((queue) => [queue.name, queue]));
      const picture = await queues.picture();
      const names = new Set([...known.keys(), ...(picture.lanes?.keys() ?? []), ...picture.workers.keys()]);
      const now = clock();
      const seen = [...names].filter((name) => maySeeQueue(caller, name)).sort();
      const items = seen.map((name) => queueJson(name, known.get(name), picture, now));
      return reply.send({ items, nextCursor: null });
    },
  );
}
