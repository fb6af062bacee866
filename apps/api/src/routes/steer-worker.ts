import type { WorkerCommand } from '@jetbeat/core';
import {
  type ConcurrencyRequest,
  ConcurrencyRequestSchema,
  type WorkerQueuesRequest,
  WorkerQueuesRequestSchema,
  type WorkerTold,
} from '@jetbeat/core/http';
import { noteAudit } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { needQueue } from '../access/caller.ts';
import { auditNote } from '../audit/audit-note.ts';
import { findOwnWorker, WORKER_PARAMS } from '../fleet/find-worker.ts';
import { toldJson } from '../fleet/worker-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkRoom } from '../queues/check-room.ts';

type Params = { Params: { id: string } };

const RESPONSES = {
  200: answer('What the worker has answered.', 'WorkerTold'),
  ...problems(400, 404, 409, 415),
};
const emptyBody = (title: string) => Type.Object({}, { additionalProperties: false, title });

/** `POST /workers/{id}/drain` */
export function drainWorkerRoute(app: FastifyInstance, parts: Parts): void {
  app.post<Params>(
    '/workers/:id/drain',
    {
      config: { role: 'operator', scope: 'worker' },
      schema: {
        operationId: 'drainWorker',
        tags: ['workers'],
        summary: 'Let a worker take nothing new',
        description: 'It ends what it has, and stays: `resume` lets it take jobs again.',
        params: WORKER_PARAMS,
        body: emptyBody('DrainWorkerRequest'),
        response: RESPONSES,
      },
    },
    async (request, reply) => reply.send(await tell(parts, request, { do: 'drain' })),
  );
}

/** `POST /workers/{id}/resume` */
export function resumeWorkerRoute(app: FastifyInstance, parts: Parts): void {
  app.post<Params>(
    '/workers/:id/resume',
    {
      config: { role: 'operator', scope: 'worker' },
      schema: {
        operationId: 'resumeWorker',
        tags: ['workers'],
        summary: 'Let a worker that was drained take jobs again',
        params: WORKER_PARAMS,
        body: emptyBody('ResumeWorkerRequest'),
        response: RESPONSES,
      },
    },
    async (request, reply) => reply.send(await tell(parts, request, { do: 'resume' })),
  );
}

/** `POST /workers/{id}/stop` */
export function stopWorkerRoute(app: FastifyInstance, parts: Parts): void {
  app.post<Params>(
    '/workers/:id/stop',
    {
      config: { role: 'operator', scope: 'worker' },
      schema: {
        operationId: 'stopWorker',
        tags: ['workers'],
        summary: 'End a worker',
        description:
          'What has not begun is given back at once. What runs may end within the drain time of its configuration, and is given back then. The process ends with exit code 0; whatever keeps it running may start it anew.',
        params: WORKER_PARAMS,
        body: emptyBody('StopWorkerRequest'),
        response: RESPONSES,
      },
    },
    async (request, reply) => reply.send(await tell(parts, request, { do: 'stop' })),
  );
}

/** `POST /workers/{id}/concurrency` */
export function concurrencyRoute(app: FastifyInstance, parts: Parts): void {
  app.post<Params & { Body: ConcurrencyRequest }>(
    '/workers/:id/concurrency',
    {
      config: { role: 'operator', scope: 'worker' },
      schema: {
        operationId: 'setWorkerConcurrency',
        tags: ['workers'],
        summary: 'Change how many jobs a worker runs at once, until it ends',
        params: WORKER_PARAMS,
        body: ConcurrencyRequestSchema,
        response: RESPONSES,
      },
    },
    async (request, reply) =>
      reply.send(await tell(parts, request, { do: 'concurrency', value: request.body.value })),
  );
}

/** `POST /workers/{id}/queues` */
export function workerQueuesRoute(app: FastifyInstance, parts: Parts): void {
  app.post<Params & { Body: WorkerQueuesRequest }>(
    '/workers/:id/queues',
    {
      config: { role: 'operator', scope: 'worker' },
      schema: {
        operationId: 'changeWorkerQueues',
        tags: ['workers'],
        summary: 'Change from which queues a worker takes jobs, until it ends',
        params: WORKER_PARAMS,
        body: WorkerQueuesRequestSchema,
        response: RESPONSES,
      },
    },
    async (request, reply) => {
      const { add = [], remove = [] } = request.body;
      for (const [index, queue] of add.entries())
        needQueue(request.caller, queue, { pointer: `/add/${index}`, isSaid: true });
      if (add.length > 0) checkRoom(await parts.queues.picture(), add);
      return reply.send(await tell(parts, request, { do: 'queues', add, remove }));
    },
  );
}

/**
 * Tells the worker. There is no transaction over PostgreSQL and a worker, so that it is written down first who tells it what; and then
 * what is different, if anything. Whether it was done shows in the second row, or in the worker.
 */
async function tell(
  { db, workers }: Parts,
  request: FastifyRequest<Params>,
  command: Exclude<WorkerCommand, { do: 'look' }>,
): Promise<WorkerTold> {
  const worker = await findOwnWorker(db, request.params.id, request.caller);
  const { id, queues, concurrency, draining } = worker;
  const entry = { note: auditNote(request), target: { kind: 'worker', id } } as const;
  await noteAudit(db, { ...entry, action: `worker.${command.do}`, after: { told: command } });
  const report = await workers.tell(id, command);
  request.log.info({ worker: id, command: command.do, by: request.caller.id }, 'worker was told');
  if (report.changed) {
    const isStopping = report.state === 'stopping';
    const after = {
      queues: report.queues,
      concurrency: report.concurrency,
      draining: report.state === 'draining',
      ...(isStopping ? { stopping: true } : {}),
    };
    await noteAudit(db, {
      ...entry,
      action: 'worker.changed',
      after,
      before: { queues, concurrency, draining },
    });
  }
  return toldJson(report);
}
