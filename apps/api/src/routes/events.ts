import { type LiveQuery, LiveQuerySchema } from '@jetbeat/core/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type EventPlace, readEventId } from '../live/event-id.ts';
import { STREAM_TYPE, streamAnswer } from '../live/stream-answer.ts';
import type { Parts } from '../parts.ts';
import { problems } from '../problems/problem-responses.ts';

const DESCRIPTION =
  'Server-sent events: each has a type (`job.succeeded`), an `id` and JSON data (`LiveEvent`). An event is told when history has it. After a break a client goes on with the `id` of its last event in the header `Last-Event-ID`, at any replica. `gap`: some events were not told; ask again for what you show, and go on. A comment comes every 15 seconds.';

/** `GET /events` */
export function eventsRoute(app: FastifyInstance, { events }: Parts): void {
  app.get<{ Querystring: LiveQuery }>(
    '/events',
    {
      config: { role: 'viewer', scope: 'list', stream: true, otel: false },
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        tags: ['live'],
        summary: 'Follow what happens',
        description: DESCRIPTION,
        querystring: LiveQuerySchema,
        response: {
          200: {
            description: 'A stream that does not end.',
            content: { [STREAM_TYPE]: { schema: { $ref: 'LiveEvent#' } } },
          },
          ...problems(400, 429),
        },
      },
    },
    async (request, reply) => {
      const { lastEventId, ...filter } = request.query;
      const after = lastPlace(request, lastEventId);
      await events.tell({ caller: request.caller, filter, after, to: streamAnswer(reply) });
      return reply;
    },
  );
}

/** How far the client was told. What is no id of ours is a place that nobody knows: it is told of a gap, and can go on. */
function lastPlace(
  { headers }: FastifyRequest,
  asked: string | undefined,
): EventPlace | 'unknown' | undefined {
  const sent = lastEventIdOf(headers) ?? asked;
  return sent === undefined ? undefined : (readEventId(sent) ?? 'unknown');
}

/** The header of that name; an empty one says nothing (WHATWG HTML §9.2.4). */
export function lastEventIdOf(headers: FastifyRequest['headers']): string | undefined {
  const sent = headers['last-event-id'];
  const text = Array.isArray(sent) ? sent.at(-1) : sent;
  return text === '' ? undefined : text;
}
