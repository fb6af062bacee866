import { randomBytes } from 'node:crypto';
import { isUuid, type Replay, type ReplayAllRequest, ReplayAllRequestSchema, uuidV7 } from '@jetbeat/core';
import { countDead, createReplay, type DeadFilter, getReplay } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { answer, problems } from '../problem-responses.ts';
import { readTime } from '../read-time.ts';

/** So many are counted. */
const MOST_COUNTED = 10_000;
const RATE = 100;

/** `POST /dead-letters/replay`: noted, and done by any API that runs, a step at a time. */
export function replayAllRoute(app: FastifyInstance, { db, clock, replays }: Parts): void {
  app.post<{ Body: ReplayAllRequest }>(
    '/dead-letters/replay',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'replayDeadLetters',
        tags: ['dead letters'],
        summary: 'Replay all dead letters that fit, at a rate',
        body: ReplayAllRequestSchema,
        response: {
          200: answer('What was counted.', 'Replay'),
          202: answer('Accepted.', 'Replay'),
          ...problems(400, 415),
        },
      },
    },
    async (request, reply) => {
      const { rate = RATE, limit, dryRun = false } = request.body;
      const filter = readFilter(request.body.filter);
      const found = await countDead(db, filter, MOST_COUNTED);
      const count = Math.min(found, limit ?? found);
      if (dryRun)
        return reply.send({ id: null, state: 'counted', count, replayed: 0, skipped: 0 } satisfies Replay);
      const now = clock();
      const id = uuidV7(now, randomBytes(10));
      await createReplay(db, { id, filter, rate, most: limit ?? null, by: request.keyId, now });
      replays.poke();
      request.log.info({ replay: id, by: request.keyId, count }, 'replay of dead letters accepted');
      const accepted: Replay = { id, state: 'running', count, replayed: 0, skipped: 0 };
      return reply.status(202).header('location', `/api/v1/dead-letters/replay/${id}`).send(accepted);
    },
  );
  app.get<{ Params: { replayId: string } }>(
    '/dead-letters/replay/:replayId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getReplay',
        tags: ['dead letters'],
        summary: 'How far a replay of many dead letters is',
        params: Type.Object({ replayId: Type.String({ maxLength: 512, description: 'Its id.' }) }),
        response: { 200: answer('The replay.', 'Replay'), ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      const text = params.replayId;
      const found = isUuid(text) ? await getReplay(db, text) : undefined;
      if (!found)
        throw new ApiError('replay_not_found', `no replay has the id ${JSON.stringify(text.slice(0, 64))}`);
      const { id, replayed, skipped, doneAt } = found;
      const state = doneAt === null ? 'running' : 'done';
      return reply.send({ id, state, replayed, skipped } satisfies Replay);
    },
  );
}

function readFilter({ from, to, ...rest }: ReplayAllRequest['filter']): DeadFilter {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: readTime(from, '/filter/from') }),
    ...(to === undefined ? {} : { to: readTime(to, '/filter/to') }),
  };
}
