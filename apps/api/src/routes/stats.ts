import type { Queue, Stats } from '@jetbeat/core/http';
import { listQueues } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { filterOfCaller, maySeeQueue } from '../access/caller.ts';
import { scheduleScope } from '../access/schedule-queue.ts';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { queueJson } from '../queues/queue-json.ts';
import { namesIn, type QueuePicture } from '../queues/queue-picture.ts';

/** `GET /stats`: how things stand in the queues that the caller sees. */
export function statsRoute(app: FastifyInstance, parts: Parts): void {
  const { db, counting, queues, clock } = parts;
  app.get(
    '/stats',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'getStats',
        tags: ['stats'],
        summary: 'How things stand, in one look',
        description: 'As of a second ago at most.',
        response: { 200: answer('Of all queues that the caller sees.', 'Stats'), ...problems() },
      },
    },
    async ({ caller }, reply) => {
      const [states, schedules, picture, known] = await Promise.all([
        counting.jobsByState(filterOfCaller(caller)),
        scheduleScope(caller, parts).then((scope) => counting.schedulesByState({ scope })),
        queues.picture(),
        listQueues(db),
      ]);
      const now = clock();
      const settings = new Map(known.map((queue) => [queue.name, queue]));
      const names = new Set([...settings.keys(), ...namesIn(picture)]);
      const seen = [...names].filter((name) => maySeeQueue(caller, name));
      const workers = new Map(
        seen.flatMap((name) => picture.workers.get(name) ?? []).map((id) => [id, picture.slots.get(id) ?? 0]),
      );
      const stats: Stats = {
        at: timeText(now),
        jobs: states.states,
        queues: queuesJson(
          seen.map((name) => queueJson(name, settings.get(name), picture, now)),
          picture,
        ),
        workers: {
          running: workers.size,
          slots: [...workers.values()].reduce((sum, slots) => sum + slots, 0),
        },
        schedules,
      };
      return reply.send(stats);
    },
  );
}

function queuesJson(all: readonly Queue[], { lanes, unserved }: QueuePicture): Stats['queues'] {
  const sum = (figure: (queue: Queue) => number) => all.reduce((total, queue) => total + figure(queue), 0);
  const isTold = lanes !== undefined;
  const oldest = all.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    count: all.length,
    paused: sum(({ paused }) => (paused ? 1 : 0)),
    waiting: isTold
      ? sum(({ waiting }) => (waiting ? waiting.high + waiting.normal + waiting.low : 0))
      : null,
    ...(isTold && !unserved ? { waitingAtLeast: true } : {}),
    held: isTold ? sum(({ held }) => held ?? 0) : null,
    oldestMs: oldest.length === 0 ? null : Math.max(...oldest),
    perMinute: {
      succeeded: sum(({ perMinute }) => perMinute.succeeded),
      failed: sum(({ perMinute }) => perMinute.failed),
      ended: sum(({ perMinute }) => perMinute.ended),
    },
  };
}
