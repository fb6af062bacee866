import { discardDead, retriesOf } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { deadJobJson, malformedJson } from '../dead-letter-json.ts';
import { DEAD_LETTER_PARAMS, deadLetterNotFound, findDeadLetter } from '../find-dead-letter.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { withInput } from '../replay-dead.ts';

/** `GET /dead-letters/{id}` */
export function getDeadLetterRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.get<{ Params: { jobId: string } }>(
    '/dead-letters/:jobId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getDeadLetter',
        tags: ['dead letters'],
        summary: 'Get a dead letter with its job, or its message',
        params: DEAD_LETTER_PARAMS,
        response: { 200: answer('The dead letter.', 'DeadLetter'), ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      const { job, message } = await findDeadLetter(parts, params.jobId);
      if (message) return reply.send(malformedJson(message, { whole: true }));
      return reply.send(deadJobJson(await withInput(parts, job), await retriesOf(db, job)));
    },
  );
}

/** `DELETE /dead-letters/{id}`: thrown away, with its message; the job stays in history. */
export function deleteDeadLetterRoute(app: FastifyInstance, parts: Parts): void {
  const { db, dead, clock } = parts;
  app.delete<{ Params: { jobId: string } }>(
    '/dead-letters/:jobId',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'deleteDeadLetter',
        tags: ['dead letters'],
        summary: 'Throw a dead letter away; its job stays in history',
        params: DEAD_LETTER_PARAMS,
        response: { 204: { description: 'It is gone.', type: 'null' }, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { jobId: id } = request.params;
      const { job, message } = await findDeadLetter(parts, id);
      const stored = message ?? (await dead.ofJob(job));
      if (stored) await dead.remove(stored.seq);
      if (job && !(await discardDead(db, { id: job.id, now: clock() }))) throw deadLetterNotFound(id);
      request.log.info({ deadLetter: id, by: request.keyId }, 'dead letter thrown away');
      return reply.status(204).send();
    },
  );
}
