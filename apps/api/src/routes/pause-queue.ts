import { isDeepStrictEqual } from 'node:util';
import { describeIssues, isPaused } from '@jetbeat/core';
import { type QueuePauseRequest, QueuePauseRequestSchema } from '@jetbeat/core/http';
import { changeQueue } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { auditOf } from '../audit/audit-note.ts';
import { shownQueue } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkQueue, QUEUE_PARAMS, showQueue } from '../queues/find-queue.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { readTime } from '../requests/read-time.ts';

/** `POST /queues/{name}/pause`: from a second after the answer on nothing of it begins. A second pause changes the end, and the note where it has one. */
export function pauseQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues, clock } = parts;
  app.post<{ Params: { queue: string }; Body: QueuePauseRequest }>(
    '/queues/:queue/pause',
    {
      config: { role: 'operator', scope: 'queue' },
      schema: {
        operationId: 'pauseQueue',
        tags: ['queues'],
        summary: 'Pause a queue: no job of it begins any more; what runs goes on, and jobs are accepted',
        params: QUEUE_PARAMS,
        body: QueuePauseRequestSchema,
        response: { 200: answer('The paused queue.', 'Queue', 'ETag'), ...problems(400, 404, 415) },
      },
    },
    async (request, reply) => {
      const { queue: name } = request.params;
      const { note } = request.body;
      const now = clock();
      const until = request.body.until === undefined ? undefined : readTime(request.body.until, '/until');
      if (until !== undefined && until <= now) {
        const issues = [{ pointer: '/until', code: 'invalid_value', message: 'this time is over' }];
        throw new ApiError('invalid_request', describeIssues(issues), { issues });
      }
      await checkQueue(parts, name);
      const queue = await changeQueue(db, {
        name,
        now,
        audit: auditOf(request, 'queue.pause', { kind: 'queue', id: name }, shownQueue),
        change({ version, paused }) {
          const first = isPaused({ version, ...(paused ? { paused } : {}) }, now) ? paused : undefined;
          // Whoever pauses once more to be sure does not take back why it was.
          const why = note ?? first?.note;
          const pause = {
            by: request.caller.id,
            since: first?.since ?? now,
            ...(why === undefined ? {} : { note: why }),
            ...(until === undefined ? {} : { until }),
          };
          // Said twice, it is said once.
          return isDeepStrictEqual(pause, first) ? undefined : { paused: pause };
        },
      });
      await queues.tell(queue);
      request.log.info({ queue: name, by: request.caller.id }, 'queue paused');
      return reply.header('etag', entityTag(queue.version)).send(await showQueue(parts, name, queue));
    },
  );
}

/** `POST /queues/{name}/resume` */
export function resumeQueueRoute(app: FastifyInstance, parts: Parts): void {
  const { db, queues, clock } = parts;
  app.post<{ Params: { queue: string } }>(
    '/queues/:queue/resume',
    {
      config: { role: 'operator', scope: 'queue' },
      schema: {
        operationId: 'resumeQueue',
        tags: ['queues'],
        summary: 'Resume a paused queue',
        params: QUEUE_PARAMS,
        body: Type.Object({}, { additionalProperties: false, title: 'QueueResumeRequest' }),
        response: { 200: answer('The queue.', 'Queue', 'ETag'), ...problems(400, 404, 415) },
      },
    },
    async (request, reply) => {
      const { queue: name } = request.params;
      await checkQueue(parts, name);
      const change = ({ paused }: { paused?: unknown }) => (paused ? { paused: null } : undefined);
      const audit = auditOf(request, 'queue.resume', { kind: 'queue', id: name }, shownQueue);
      const queue = await changeQueue(db, { name, now: clock(), change, audit });
      await queues.tell(queue);
      request.log.info({ queue: name, by: request.caller.id }, 'queue resumed');
      return reply.header('etag', entityTag(queue.version)).send(await showQueue(parts, name, queue));
    },
  );
}
