import {
  type DeadLetter,
  type DeadLetterQuery,
  DeadLetterQuerySchema,
  PAGE_SIZE,
  UUID_PATTERN,
} from '@jetbeat/core';
import { listJobs } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { filterOfCaller } from '../access/caller.ts';
import { listedDeadJson, malformedJson } from '../dead-letters/dead-letter-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import type { ListCursors } from '../requests/cursor.ts';
import { readTime } from '../requests/read-time.ts';

const PLACE = { job: new RegExp(`(^$|${UUID_PATTERN})`), seq: /^\d{1,15}$/ };
/** Where the messages begin that never were a job. */
const FIRST = { job: '', seq: 1 };

/**
 * `GET /dead-letters`: dead jobs, newest first; after them the messages that never were a job, oldest first. Filters of
 * jobs leave the latter out.
 */
export function listDeadLettersRoute(app: FastifyInstance, { db, dead, clock, cursors }: Parts): void {
  app.get<{ Querystring: DeadLetterQuery }>(
    '/dead-letters',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listDeadLetters',
        tags: ['dead letters'],
        summary: 'List dead letters: jobs that are given up, newest first, then messages that never were one',
        querystring: DeadLetterQuerySchema,
        response: { 200: answer('A page of dead letters.', 'DeadLetterPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { limit = PAGE_SIZE } = query;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const inMessages = query.reason === 'malformed' || place?.job === '';
      const items: DeadLetter[] = [];
      if (!inMessages) {
        const { jobs, next } = await listJobs(db, {
          ...{ ...filterOf(query), ...filterOfCaller(request.caller), ...after(place?.job) },
          limit,
          now: clock(),
        });
        items.push(...jobs.map(listedDeadJson));
        if (next !== undefined) return reply.send({ items, nextCursor: list.write({ job: next, seq: 0 }) });
      }
      if (!mayBeMalformed(query)) return reply.send({ items, nextCursor: null });
      if (items.length === limit) return reply.send({ items, nextCursor: list.write(FIRST) });
      const from = inMessages && place ? Number(place.seq) : FIRST.seq;
      const rest = await messagesPage({
        ...{ dead, list, query, from, limit: limit - items.length },
        queues: request.caller.queues,
      });
      return reply.send({ items: [...items, ...rest.items], nextCursor: rest.nextCursor });
    },
  );
}

/** Messages that never were a job. */
async function messagesPage(params: {
  dead: Parts['dead'];
  list: ListCursors;
  query: DeadLetterQuery;
  from: number;
  limit: number;
  /** The only queues that the caller sees. */
  queues: readonly string[] | undefined;
}): Promise<{ items: DeadLetter[]; nextCursor: string | null }> {
  const { dead, list, query, from, limit, queues } = params;
  const ofQueue = query.queue === undefined ? {} : { queue: query.queue };
  const { messages, next } = await dead.malformed({ from, limit, queues, ...ofQueue });
  return {
    items: messages.map((message) => malformedJson(message, { whole: false })),
    nextCursor: next === undefined ? null : list.write({ job: '', seq: next }),
  };
}

function mayBeMalformed({ task, reason, from, to }: DeadLetterQuery): boolean {
  return (
    task === undefined && from === undefined && to === undefined && (reason ?? 'malformed') === 'malformed'
  );
}

function after(id: string | undefined) {
  return id === undefined || id === '' ? {} : { after: id };
}

function filterOf({ task, queue, reason, from, to }: DeadLetterQuery) {
  return {
    states: ['dead' as const],
    kept: true,
    ...(task === undefined ? {} : { task }),
    ...(queue === undefined ? {} : { queue }),
    ...(reason === undefined ? {} : { reason }),
    ...(from === undefined ? {} : { from: readTime(from, '?from') }),
    ...(to === undefined ? {} : { to: readTime(to, '?to') }),
  };
}
