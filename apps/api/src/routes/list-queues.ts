import { PAGE_SIZE, type PageQuery, PageQuerySchema } from '@jetbeat/core/http';
import { listQueues } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { maySeeQueue } from '../access/caller.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { queueJson } from '../queues/queue-json.ts';
import { namesIn } from '../queues/queue-picture.ts';
import { namedPage } from '../requests/named-page.ts';

/** `GET /queues`: all that have settings, consumers, workers or jobs that are not over. */
export function listQueuesRoute(app: FastifyInstance, { db, queues, cursors, clock }: Parts): void {
  app.get<{ Querystring: PageQuery }>(
    '/queues',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listQueues',
        tags: ['queues'],
        summary: 'List queues by name, with what is in them',
        querystring: PageQuerySchema,
        response: { 200: answer('A page of queues.', 'QueuePage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { caller, query } = request;
      const { limit = PAGE_SIZE } = query;
      const known = new Map((await listQueues(db)).map((queue) => [queue.name, queue]));
      const picture = await queues.picture();
      const names = [...known.keys(), ...namesIn(picture)];
      const now = clock();
      const seen = names.filter((name) => maySeeQueue(caller, name));
      const show = (name: string) => queueJson(name, known.get(name), picture, now);
      return reply.send(namedPage(cursors.of(request), seen, { limit, show }));
    },
  );
}
