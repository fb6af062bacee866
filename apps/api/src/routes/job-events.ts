import { getListedJob } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { hidePayloads } from '../access/hide-payloads.ts';
import { listedJobJson } from '../jobs/job-json.ts';
import { endEvent } from '../live/end-event.ts';
import { hidePayload } from '../live/hide-payload.ts';
import { END } from '../live/job-feed.ts';
import { STREAM_TYPE, streamAnswer } from '../live/stream-answer.ts';
import type { Parts } from '../parts.ts';
import { problems } from '../problems/problem-responses.ts';
import { lastEventIdOf } from './events.ts';
import { findJob, JOB_PARAMS } from './get-job.ts';

const DESCRIPTION =
  'Server-sent events of one job: first `job` with the job as lists show it, then what happens to it (`JobEvent`), at last how it has ended; then the stream is over, and whoever comes back after that is answered 204. Whoever comes back sooner begins with `job` again; and `job` comes once more where something was not told by an event, as a cancellation before it began, or where the client was too slow.';

/** `GET /jobs/{id}/events` */
export function jobEventsRoute(app: FastifyInstance, { db, events }: Parts): void {
  app.get<{ Params: { id: string } }>(
    '/jobs/:id/events',
    {
      config: { role: 'viewer', scope: 'job', stream: true, otel: false },
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamJobEvents',
        tags: ['live'],
        summary: 'Follow a job to its end',
        description: DESCRIPTION,
        params: JOB_PARAMS,
        response: {
          200: {
            description: 'A stream that ends with the job.',
            content: { [STREAM_TYPE]: { schema: { $ref: 'JobStreamEvent#' } } },
          },
          204: { description: 'All was told.' },
          ...problems(404, 429),
        },
      },
    },
    async (request, reply) => {
      const { caller, headers, params } = request;
      const { id } = await findJob(db, params.id);
      if (lastEventIdOf(headers) === END) return reply.status(204).send();
      const look = async () => {
        const row = await getListedJob(db, id);
        if (!row) return undefined;
        const shown = listedJobJson(row);
        const json = caller.payloads ? shown : hidePayloads(shown);
        const end = endEvent(row);
        return { row, json, end: end && !caller.payloads ? hidePayload(end) : end };
      };
      await events.tellOfJob({ caller, job: id, look, to: streamAnswer(reply) });
      return reply;
    },
  );
}
