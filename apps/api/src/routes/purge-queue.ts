import { type PurgeAnswer, type PurgeRequest, PurgeRequestSchema } from '@jetbeat/core/http';
import { changeQueue, type QueueRecord } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownQueue } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkQueue, QUEUE_PARAMS } from '../queues/find-queue.ts';
import { type Confirmation, readConfirmation, writeConfirmation } from '../queues/purge-confirmation.ts';

/** How long what was counted may be confirmed, milliseconds. */
const CONFIRM_MS = 600_000;
/** How far the clocks of NATS' servers may be apart, milliseconds. */
const SKEW_MS = 60_000;

/**
 * `POST /queues/{name}/purge`: the first call counts, the second one with its `confirm` removes what was there then. The
 * recorder does it, whatever becomes of this process; the same call again tells how far it is.
 */
export function purgeQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues, clock } = parts;
  app.post<{ Params: { queue: string }; Body: PurgeRequest }>(
    '/queues/:queue/purge',
    {
      config: { role: 'operator', scope: 'queue' },
      schema: {
        operationId: 'purgeQueue',
        tags: ['queues'],
        summary: 'Remove what waits in a queue; what runs goes on. The first call only counts',
        params: QUEUE_PARAMS,
        body: PurgeRequestSchema,
        response: { 200: answer('How far it is.', 'PurgeAnswer'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { queue: name } = request.params;
      const { confirm, timers = false } = request.body;
      await checkQueue(parts, name);
      await queues.makeLanes(name);
      if (confirm === undefined) {
        const { waiting, parked, timers: later, ...mark } = await queues.countPurge(name, timers);
        const asked = { ...mark, queue: name, timers };
        const count = { waiting, parked, timers: later };
        return reply.send({ state: 'unconfirmed', count, confirm: writeConfirmation(asked) } as PurgeAnswer);
      }
      const asked = readConfirmation(confirm);
      if (asked?.queue !== name || asked.timers !== timers) throw changed(name, timers);
      const { created, lastSeq, now } = await queues.stream();
      const isOld = now - asked.at >= CONFIRM_MS || created !== asked.streamCreated;
      // Nobody has counted what is not there yet: it would be removed as it comes.
      const isAhead = asked.at > now + SKEW_MS || asked.upTo > lastSeq;
      if (isOld || isAhead) throw changed(name, timers);
      const queue = await begin(asked, request);
      await queues.tell(queue);
      request.log.info({ queue: name, by: request.caller.id, upTo: asked.upTo }, 'queue is purged');
      const { removed = 0, doneAt } = queue.purge ?? {};
      return reply.send({ state: doneAt === undefined ? 'running' : 'done', removed } as PurgeAnswer);
    },
  );

  /**
   * The same confirmation again begins nothing anew, nor does one for less than what is under way; one for more goes on with all of it. What
   * is neither has to wait: what somebody was told is being removed is removed.
   */
  const begin = (asked: Confirmation, request: FastifyRequest): Promise<QueueRecord> =>
    changeQueue(db, {
      name: asked.queue,
      now: clock(),
      audit: auditOf(request, 'queue.purge', { kind: 'queue', id: asked.queue }, shownQueue),
      change({ purge }) {
        if (purge && purge.upTo === asked.upTo && purge.at === asked.at) return undefined;
        const isUnderWay = purge && purge.doneAt === undefined && purge.streamCreated === asked.streamCreated;
        if (isUnderWay && covers(purge, asked)) return undefined;
        if (isUnderWay && !covers(asked, purge)) throw underWay(asked.queue);
        const { upTo, at, streamCreated, timers } = asked;
        const by = request.caller.id;
        return {
          purge: { upTo, before: at, at, streamCreated, timers, by, removed: isUnderWay ? purge.removed : 0 },
        };
      },
    });
}

type Reach = Pick<Confirmation, 'upTo' | 'at' | 'timers'>;

function covers(one: Reach, other: Reach): boolean {
  return one.upTo >= other.upTo && one.at >= other.at && (one.timers || !other.timers);
}

function underWay(name: string): ApiError {
  return new ApiError(
    'purge_changed',
    `another purge of ${JSON.stringify(name)} is under way, with other options: wait for its end, then count again`,
    { retryAfter: 2 },
  );
}

function changed(name: string, timers: boolean): ApiError {
  const body = timers ? '{"timers": true}' : '{}';
  const way = `POST /api/v1/queues/${name}/purge ${body}`;
  return new ApiError(
    'purge_changed',
    `this confirmation is too old, or was given for another queue or with another "timers": count again with ${way}, and send its "confirm" with the same "timers"`,
  );
}
