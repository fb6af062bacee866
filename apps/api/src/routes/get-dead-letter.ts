import { databaseTime, discardDead, noteAudit, retriesOf } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditNote } from '../audit/audit-note.ts';
import { deadJobJson, malformedJson } from '../dead-letters/dead-letter-json.ts';
import { DEAD_LETTER_PARAMS, deadLetterNotFound, findDeadLetter } from '../dead-letters/find-dead-letter.ts';
import { withInput } from '../dead-letters/replay-dead.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `GET /dead-letters/{id}` */
export function getDeadLetterRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.get<{ Params: { jobId: string } }>(
    '/dead-letters/:jobId',
    {
      config: { role: 'viewer', scope: 'dead-letter' },
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
  const { db, dead } = parts;
  app.delete<{ Params: { jobId: string } }>(
    '/dead-letters/:jobId',
    {
      config: { role: 'operator', scope: 'dead-letter' },
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
      const { job, message } = await findDeadLetter(parts, id, { discarded: true });
      const stored = message ?? (await dead.ofJob(job));
      const target = { kind: 'dead-letter', id: job?.id ?? id } as const;
      const { queue, task } = job ?? stored ?? {};
      const audit = {
        note: auditNote(request),
        action: 'dead-letter.discard',
        target,
        before: { queue, task },
      } as const;
      // First what says who has done it: a message cannot be taken away in the same transaction.
      const isNew = job ? await discardDead(db, { id: job.id, now: await databaseTime(db), audit }) : true;
      if (!job) await noteAudit(db, audit);
      // Whoever was cut off in between repeats it, and finds the message.
      if (!isNew && !stored) throw deadLetterNotFound(id);
      if (stored) await dead.remove(stored.seq);
      request.log.info({ deadLetter: id, by: request.caller.id }, 'dead letter thrown away');
      return reply.status(204).send();
    },
  );
}
