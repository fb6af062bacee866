import { PAGE_SIZE, type WorkerQuery, WorkerQuerySchema } from '@jetbeat/core/http';
import { countWorkers, listWorkers } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { maySeeQueue } from '../access/caller.ts';
import { findWorker, WORKER_PARAMS } from '../fleet/find-worker.ts';
import { workerJson } from '../fleet/worker-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** One that has not been heard of for longer is listed no more, milliseconds. */
const LISTED_MS = 86_400_000;
const PLACE = { at: /^\d{1,15}$/, id: /^[\w-]{1,200}$/ };

/** `GET /workers`: the one that started last first. */
export function listWorkersRoute(app: FastifyInstance, { db, cursors, workers, counting }: Parts): void {
  app.get<{ Querystring: WorkerQuery }>(
    '/workers',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listWorkers',
        tags: ['workers'],
        summary: 'List workers of which was heard in the last 24 hours',
        querystring: WorkerQuerySchema,
        response: { 200: answer('A page of workers.', 'WorkerPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { caller } = request;
      const { state, queue, limit = PAGE_SIZE } = request.query;
      const cursor = cursors.of(request);
      const place = cursor.read(PLACE);
      const { now, since } = await workers.aliveSince();
      // A worker serves others' queues too: which ones is not to be found out by asking for one after the other.
      const queues = queue === undefined || maySeeQueue(caller, queue) ? caller.queues : [];
      const filter = { state, queue, queues };
      const times = { since, heardAfter: now - LISTED_MS };
      const found = await listWorkers(db, {
        ...filter,
        ...times,
        limit: limit + 1,
        after: place && { startedAt: Number(place.at), id: place.id },
      });
      const page = cursor.page(found, limit, {
        show: (worker) => workerJson(worker, { since, caller }),
        place: ({ startedAt, id }) => ({ at: startedAt, id }),
      });
      const count = () =>
        counting.others(['workers', filter], async () => {
          return { value: await countWorkers(db, { ...filter, ...times }), capped: false };
        });
      return reply.send({ ...page, ...(await cursor.total(found, limit, count)) });
    },
  );
}

/** `GET /workers/{id}`: with what it says of itself, where it answers. */
export function getWorkerRoute(app: FastifyInstance, { db, workers }: Parts): void {
  app.get<{ Params: { id: string } }>(
    '/workers/:id',
    {
      config: { role: 'viewer', scope: 'worker' },
      schema: {
        operationId: 'getWorker',
        tags: ['workers'],
        summary: 'Get a worker with what it runs now',
        params: WORKER_PARAMS,
        response: { 200: answer('The worker.', 'Worker'), ...problems(404) },
      },
    },
    async ({ params, caller }, reply) => {
      const worker = await findWorker(db, params.id, caller);
      const [{ since }, report] = await Promise.all([
        workers.aliveSince(),
        worker.state === 'stopped' ? undefined : workers.look(worker.id),
      ]);
      return reply.send(workerJson(worker, { since, caller, report }));
    },
  );
}
