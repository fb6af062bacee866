import { ORIGIN_PREFIXES, occurrenceJobId } from '@jetbeat/core';
import { type TriggerRequest, TriggerRequestSchema } from '@jetbeat/core/http';
import { type AskedRuns, askRuns, databaseTime, type ScheduleRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { askerOf } from '../access/caller.ts';
import { checkRunScope, scheduleWarnings, seesSchedule } from '../access/schedule-queue.ts';
import { askedId } from '../answers/asked-id.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownRuns } from '../audit/audit-shown.ts';
import { checkReadable, checkRepeat } from '../jobs/asked-runs.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkJobOf } from '../schedules/check-schedule.ts';
import { occurrenceJson } from '../schedules/occurrence-json.ts';
import { scheduleNotFound } from '../schedules/schedule-not-found.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `POST /schedules/{name}/trigger`: one run now, also while it is paused or has no time left. */
export function triggerScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.post<{ Params: { name: string }; Body: TriggerRequest }>(
    '/schedules/:name/trigger',
    {
      config: { role: 'operator', scope: 'schedule' },
      schema: {
        operationId: 'triggerSchedule',
        tags: ['schedules'],
        summary: 'Run a schedule once now, also while it is paused',
        params: SCHEDULE_PARAMS,
        body: TriggerRequestSchema,
        response: {
          202: answer('It will be run.', 'Triggered', 'Location'),
          ...problems(400, 404, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { overlap = 'allow' } = request.body;
      const input = 'input' in request.body ? { value: request.body.input } : undefined;
      const idOf = askedId(request);
      const fleet = await parts.fleet();
      const now = await databaseTime(db);
      let wanted: AskedRuns | undefined;
      const view = { caller: request.caller, settings: parts.settings, fleet };
      const plan = (schedule: ScheduleRecord): AskedRuns => {
        if (!seesSchedule(schedule, view)) throw scheduleNotFound(name);
        checkReadable(schedule, now);
        checkRunScope(schedule, view);
        const { id, definition } = schedule;
        const { job } = definition;
        if (input) checkJobOf(parts, { job: { ...job, input: input.value }, fleet, pointer: '/input' });
        wanted = {
          origin: `${ORIGIN_PREFIXES.trigger}${idOf(`trigger ${id}`)}`,
          runs: [{ nominalTime: now, dispatchAt: now }],
          overlap,
          ...(input ? { input } : {}),
          requestedBy: askerOf(request.caller),
        };
        return wanted;
      };
      const audit = auditOf(request, 'schedule.trigger', { kind: 'schedule', id: name }, shownRuns);
      const result = found(known(name) ? await askRuns(db, { name, plan, audit }) : undefined, name);
      if (wanted) checkRepeat(result, wanted);
      const { schedule, asked, repeated } = result;
      const occurrence = found(asked.first, name);
      const { nominalTime, origin } = occurrence;
      const jobId = occurrenceJobId(schedule.id, nominalTime, origin);
      if (repeated) void reply.header('idempotent-replayed', 'true');
      else request.log.info({ schedule: name, by: request.caller.id, job: jobId }, 'schedule triggered');
      return reply
        .status(202)
        .header('location', `/api/v1/jobs/${jobId}`)
        .send({
          jobId,
          occurrence: occurrenceJson(occurrence),
          warnings: scheduleWarnings(schedule, view),
        });
    },
  );
}
