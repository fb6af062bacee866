import { UUID_PATTERN } from '@jetbeat/core';
import { type BatchQuery, BatchQuerySchema, PAGE_SIZE } from '@jetbeat/core/http';
import { abortBatch, countBatches, databaseTime, listBatches } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { auditNote } from '../audit/audit-note.ts';
import { batchJson } from '../batches/batch-json.ts';
import { BATCH_PARAMS, findBatch } from '../batches/find-batch.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

const PLACE = { at: /^\d{1,15}$/, id: new RegExp(UUID_PATTERN) };

/** `GET /batches`: newest first. */
export function listBatchesRoute(app: FastifyInstance, { db, cursors, counting }: Parts): void {
  app.get<{ Querystring: BatchQuery }>(
    '/batches',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listBatches',
        tags: ['batches'],
        summary: 'List batches, newest first',
        querystring: BatchQuerySchema,
        response: { 200: answer('A page of batches.', 'BatchPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { action, state, limit = PAGE_SIZE } = request.query;
      const cursor = cursors.of(request);
      const place = cursor.read(PLACE);
      const filter = { queues: request.caller.queues, action, state };
      const found = await listBatches(db, {
        ...filter,
        limit: limit + 1,
        after: place && { createdAt: Number(place.at), id: place.id },
      });
      const page = cursor.page(found, limit, {
        show: (batch) => batchJson(batch, request.caller),
        place: ({ createdAt, id }) => ({ at: createdAt, id }),
      });
      const count = () => counting.others(['batches', filter], () => countBatches(db, filter));
      return reply.send({ ...page, ...(await cursor.total(found, limit, count)) });
    },
  );
}

/** `GET /batches/{id}` */
export function getBatchRoute(app: FastifyInstance, { db }: Parts): void {
  app.get<{ Params: { id: string } }>(
    '/batches/:id',
    {
      config: { role: 'viewer', scope: 'batch' },
      schema: {
        operationId: 'getBatch',
        tags: ['batches'],
        summary: 'How far a batch is',
        params: BATCH_PARAMS,
        response: { 200: answer('The batch.', 'Batch'), ...problems(404) },
      },
    },
    async ({ params, caller }, reply) =>
      reply.send(batchJson(await findBatch(db, params.id, caller), caller)),
  );
}

/** `POST /batches/{id}/abort` */
export function abortBatchRoute(app: FastifyInstance, { db, batches }: Parts): void {
  app.post<{ Params: { id: string } }>(
    '/batches/:id/abort',
    {
      config: { role: 'operator', scope: 'batch' },
      schema: {
        operationId: 'abortBatch',
        tags: ['batches'],
        summary: 'End a batch before it is done',
        description: 'What was begun of it is ended, nothing more is begun. What was done is not taken back.',
        params: BATCH_PARAMS,
        body: Type.Object({}, { additionalProperties: false, title: 'AbortBatchRequest' }),
        response: {
          200: answer('The batch: nothing more is done.', 'Batch'),
          202: answer('The batch, of which a few jobs are being ended.', 'Batch'),
          ...problems(400, 404, 409, 415),
        },
      },
    },
    async (request, reply) => {
      const { id } = await findBatch(db, request.params.id, request.caller);
      const batch = await abortBatch(db, { id, now: await databaseTime(db), note: auditNote(request) });
      if (!batch) throw new ApiError('batch_ended', 'the batch is over: all of it is done');
      batches.poke();
      request.log.info({ batch: id, by: request.caller.id }, 'batch aborted');
      return reply.status(batch.finishedAt === null ? 202 : 200).send(batchJson(batch, request.caller));
    },
  );
}
