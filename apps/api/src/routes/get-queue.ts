import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { QUEUE_PARAMS, showQueue } from '../queues/find-queue.ts';
import { entityTag } from '../requests/entity-tag.ts';

/** `GET /queues/{name}` */
export function getQueueRoute(app: FastifyInstance, parts: Parts): void {
  app.get<{ Params: { queue: string } }>(
    '/queues/:queue',
    {
      config: { role: 'viewer', scope: 'queue' },
      schema: {
        operationId: 'getQueue',
        tags: ['queues'],
        summary: 'Get a queue with what is in it',
        params: QUEUE_PARAMS,
        response: { 200: answer('The queue.', 'Queue', 'ETag'), ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      const queue = await showQueue(parts, params.queue);
      return reply.header('etag', entityTag(queue.version)).send(queue);
    },
  );
}
