import { type Batch, type BatchRequest, BatchRequestSchema } from '@jetbeat/core/http';
import { createBatch, databaseTime, describeBatch } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { timedId } from '../answers/asked-id.ts';
import { auditNote } from '../audit/audit-note.ts';
import { batchJson, filterJson } from '../batches/batch-json.ts';
import { tooManyBatches } from '../batches/find-batch.ts';
import { freezeFilter, needFilter } from '../batches/freeze-filter.ts';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { isDryRun } from '../requests/is-dry-run.ts';

/** So many are counted. */
const MOST_COUNTED = 10_000;
const RATE = 100;

/** `POST /batches`: noted, and done by any API that runs, a step at a time. */
export function createBatchRoute(app: FastifyInstance, { db, batches }: Parts): void {
  app.post<{ Body: BatchRequest }>(
    '/batches',
    {
      config: { role: 'operator', scope: 'list', changesNothing: isDryRun },
      schema: {
        operationId: 'createBatch',
        tags: ['batches'],
        summary: 'Do something with all jobs that fit',
        description:
          'The filter holds as of now. What is asked for is done on the server, at a rate, whoever of it dies meanwhile: `GET /batches/{id}` tells how far it is.',
        body: BatchRequestSchema,
        response: {
          200: answer('What was counted.', 'Batch'),
          202: answer('Accepted.', 'Batch', 'Location'),
          ...problems(400, 409, 415),
        },
      },
    },
    async (request, reply) => {
      const { action, rate = RATE, limit, reason, dryRun = false } = request.body;
      const { caller } = request;
      if (!dryRun) needFilter(request.body);
      // What there is, and what is made later, is told apart by one clock, whichever API is asked.
      const now = await databaseTime(db);
      const frozen = freezeFilter(request.body, { caller, now });
      const { filter } = frozen;
      const behind = await batches.behind();
      const warnings = [
        ...frozen.warnings,
        ...(behind === undefined
          ? []
          : [{ code: 'history_behind', message: `${behind}; more may fit than are counted` }]),
      ];
      if (dryRun) {
        const scope = { action, filter, queues: caller.queues, createdAt: now };
        const { total, first, ...told } = await describeBatch(db, scope, MOST_COUNTED);
        const shown = first.map((job) => ({ ...job, createdAt: timeText(job.createdAt) }));
        const counted: Batch = {
          id: null,
          action,
          state: 'counted',
          filter: filterJson(filter, caller.queues ?? null, caller),
          rate,
          limit: limit ?? null,
          total: { ...total },
          preview: { ...told, first: shown },
          done: 0,
          skipped: 0,
          failed: 0,
          failures: [],
          by: null,
          createdAt: null,
          abortedAt: null,
          finishedAt: null,
          warnings,
        };
        return reply.send(counted);
      }
      const batch = await createBatch(db, {
        id: timedId(request, now)('batch'),
        action,
        filter,
        rate,
        now,
        count: MOST_COUNTED,
        queues: caller.queues ?? null,
        most: limit ?? null,
        asked: auditNote(request, reason),
      });
      if (!batch) throw tooManyBatches();
      batches.poke();
      request.log.info({ batch: batch.id, action, by: caller.id, total: batch.total }, 'batch accepted');
      return reply
        .status(202)
        .header('location', `/api/v1/batches/${batch.id}`)
        .send(batchJson(batch, caller, warnings));
    },
  );
}
