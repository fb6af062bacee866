import { UUID_PATTERN } from '@jetbeat/core';
import { type DeadLetter, type DeadLetterQuery, DeadLetterQuerySchema, PAGE_SIZE } from '@jetbeat/core/http';
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
export function listDeadLettersRoute(app: FastifyInstance, parts: Parts): void {
  const { dead, cursors, counting } = parts;
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
      const withMessages = mayBeMalformed(query);
      const filter = { ...filterOf(query), ...filterOfCaller(request.caller) };
      const jobs: Page = inMessages
        ? { items: [], nextCursor: null }
        : await jobsPage(parts, { list, filter, withMessages, limit, after: place?.job });
      if (jobs.nextCursor !== null) {
        if (place) return reply.send(jobs);
        // Messages that never were a job are not counted: there may be more.
        const { value, capped } = await counting.jobs(filter);
        return reply.send({ ...jobs, total: { value, capped: capped || withMessages } });
      }
      const from = inMessages && place ? Number(place.seq) : FIRST.seq;
      const messages = {
        dead,
        list,
        query,
        from,
        limit: limit - jobs.items.length,
        queues: request.caller.queues,
      };
      const { items: rest, nextCursor } = withMessages
        ? await messagesPage(messages)
        : { items: [], nextCursor: null };
      const items = [...jobs.items, ...rest];
      const isAll = !place && nextCursor === null;
      return reply.send({
        items,
        nextCursor,
        ...(isAll ? { total: { value: items.length, capped: false } } : {}),
      });
    },
  );
}

interface Page {
  readonly items: DeadLetter[];
  readonly nextCursor: string | null;
}

/** Dead jobs; behind the last page come the messages, if any may. */
async function jobsPage(
  { db, clock }: Pick<Parts, 'db' | 'clock'>,
  params: {
    list: ListCursors;
    filter: ReturnType<typeof filterOf>;
    withMessages: boolean;
    limit: number;
    after: string | undefined;
  },
): Promise<Page> {
  const { list, filter, withMessages, limit, after } = params;
  const { jobs, next } = await listJobs(db, { ...filter, ...(after ? { after } : {}), limit, now: clock() });
  const last = withMessages && jobs.length === limit ? list.write(FIRST) : null;
  const nextCursor = next === undefined ? last : list.write({ job: next, seq: 0 });
  return { items: jobs.map(listedDeadJson), nextCursor };
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
}): Promise<Page> {
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
