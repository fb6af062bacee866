import { type Replay, type ReplayAllRequest, ReplayAllRequestSchema } from '@jetbeat/core/http';
import {
  type BatchFilter,
  type BatchRecord,
  batchState,
  countBatch,
  createBatch,
  databaseTime,
} from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { timedId } from '../answers/asked-id.ts';
import { auditNote } from '../audit/audit-note.ts';
import { lookForBatch, tooManyBatches } from '../batches/find-batch.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { isDryRun } from '../requests/is-dry-run.ts';
import { readTime } from '../requests/read-time.ts';

/** So many are counted. */
const MOST_COUNTED = 10_000;
const RATE = 100;

/** `POST /dead-letters/replay`: noted, and done by any API that runs, a step at a time. */
export function replayAllRoute(app: FastifyInstance, { db, batches }: Parts): void {
  app.post<{ Body: ReplayAllRequest }>(
    '/dead-letters/replay',
    {
      config: { role: 'operator', scope: 'list', changesNothing: isDryRun },
      schema: {
        operationId: 'replayDeadLetters',
        tags: ['dead letters'],
        summary: 'Replay all dead letters that fit, at a rate',
        body: ReplayAllRequestSchema,
        response: {
          200: answer('What was counted.', 'Replay'),
          202: answer('Accepted.', 'Replay', 'Location'),
          ...problems(400, 409, 415),
        },
      },
    },
    async (request, reply) => {
      const { rate = RATE, limit, dryRun = false } = request.body;
      const { caller } = request;
      // What there is, and what is made later, is told apart by one clock, whichever API is asked.
      const now = await databaseTime(db);
      const filter = readFilter(request.body.filter);
      if (dryRun) {
        const scope = { action: 'replay', filter, queues: caller.queues, createdAt: now } as const;
        const { value } = await countBatch(db, scope, MOST_COUNTED);
        const count = Math.min(value, limit ?? value);
        return reply.send({ id: null, state: 'counted', count, replayed: 0, skipped: 0 } satisfies Replay);
      }
      const batch = await createBatch(db, {
        id: timedId(request, now)('replay'),
        action: 'replay',
        filter,
        rate,
        now,
        count: MOST_COUNTED,
        queues: caller.queues ?? null,
        most: limit ?? null,
        asked: auditNote(request),
      });
      if (!batch) throw tooManyBatches();
      batches.poke();
      const { id, total } = batch;
      const count = Math.min(total.value, limit ?? total.value);
      request.log.info({ batch: id, by: caller.id, count }, 'replay of dead letters accepted');
      return reply
        .status(202)
        .header('location', `/api/v1/dead-letters/replay/${id}`)
        .send({ ...replayJson(batch), count });
    },
  );
  app.get<{ Params: { replayId: string } }>(
    '/dead-letters/replay/:replayId',
    {
      config: { role: 'viewer', scope: 'batch' },
      schema: {
        operationId: 'getReplay',
        tags: ['dead letters'],
        summary: 'How far a replay of many dead letters is',
        params: Type.Object({ replayId: Type.String({ maxLength: 512, description: 'Its id.' }) }),
        response: { 200: answer('The replay.', 'Replay'), ...problems(404) },
      },
    },
    async ({ params, caller }, reply) => {
      const found = await lookForBatch(db, params.replayId, caller);
      if (found?.action === 'replay') return reply.send(replayJson(found));
      const id = JSON.stringify(params.replayId.slice(0, 64));
      throw new ApiError('replay_not_found', `no replay has the id ${id}`);
    },
  );
}

function replayJson(batch: BatchRecord): Replay {
  const { id, done, skipped, failed } = batch;
  const state = batchState(batch);
  return { id, state: state === 'aborting' ? 'running' : state, replayed: done, skipped: skipped + failed };
}

function readFilter({ from, to, ...rest }: ReplayAllRequest['filter']): BatchFilter {
  return {
    ...rest,
    states: ['dead'],
    ...(from === undefined ? {} : { from: readTime(from, '/filter/from') }),
    ...(to === undefined ? {} : { to: readTime(to, '/filter/to') }),
  };
}
