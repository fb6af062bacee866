import { describeIssues, type Issue, ORIGIN_PREFIXES, parseDuration } from '@jetbeat/core';
import {
  type Backfill,
  type BackfillRequest,
  BackfillRequestSchema,
  MAX_BACKFILL,
  MAX_BACKFILL_SHOWN,
} from '@jetbeat/core/http';
import { type AskedRuns, askRuns, databaseTime, getSchedule, type ScheduleRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { askerOf } from '../access/caller.ts';
import { checkRunScope, seesSchedule } from '../access/schedule-queue.ts';
import { askedId } from '../answers/asked-id.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownRuns } from '../audit/audit-shown.ts';
import { checkReadable, checkRepeat } from '../jobs/asked-runs.ts';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { isDryRun } from '../requests/is-dry-run.ts';
import { readTime } from '../requests/read-time.ts';
import { type BackfillTimes, backfillTimes } from '../schedules/backfill-times.ts';
import { recurrenceOf } from '../schedules/schedule-json.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `POST /schedules/{name}/backfill`: runs what its rule says of a time that is over. */
export function backfillScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.post<{ Params: { name: string }; Body: BackfillRequest }>(
    '/schedules/:name/backfill',
    {
      config: { role: 'operator', scope: 'schedule', changesNothing: isDryRun },
      schema: {
        operationId: 'backfillSchedule',
        tags: ['schedules'],
        summary: 'Run a schedule for a range of time that is over, or say what that would be',
        params: SCHEDULE_PARAMS,
        body: BackfillRequestSchema,
        response: {
          200: answer('What would be run.', 'Backfill'),
          202: answer('It will be run.', 'Backfill'),
          ...problems(400, 404, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { overlap = 'buffer-all', dryRun = false } = request.body;
      const now = await databaseTime(db);
      const range = readRange(request.body, now);
      const spread = request.body.spread === undefined ? 0 : parseDuration(request.body.spread, '/spread');
      const schedule = found(known(name) ? await getSchedule(db, name) : undefined, name);
      checkReadable(schedule, now);
      const planned = await backfillTimes(recurrenceOf(schedule), range);
      refuseTooMany(planned);
      const runs = planned.times.map((nominalTime, index) => ({
        nominalTime,
        dispatchAt: now + index * spread,
      }));
      if (dryRun) return reply.send(backfillJson(runs, null));
      const wanted: AskedRuns = {
        origin: `${ORIGIN_PREFIXES.backfill}${askedId(request)(`backfill ${schedule.id} ${range.from} ${range.to}`)}`,
        runs,
        overlap,
        requestedBy: askerOf(request.caller),
      };
      // Deleted and made again meanwhile, it is another one.
      const view = { caller: request.caller, settings, fleet: await parts.fleet() };
      const plan = (locked: ScheduleRecord) => {
        const isThis = locked.id === schedule.id && seesSchedule(locked, view);
        const runs = found(isThis ? wanted : undefined, name);
        checkRunScope(locked, view);
        return runs;
      };
      const audit = auditOf(request, 'schedule.backfill', { kind: 'schedule', id: name }, shownRuns);
      const result = found(await askRuns(db, { name, plan, audit }), name);
      checkRepeat(result, wanted);
      if (result.repeated) void reply.header('idempotent-replayed', 'true');
      else
        request.log.info(
          { schedule: name, by: request.caller.id, origin: wanted.origin, runs: runs.length },
          'schedule backfilled',
        );
      const { lastDispatchAt } = result.asked;
      const until = lastDispatchAt === undefined ? {} : { until: timeText(lastDispatchAt) };
      return reply.status(202).send({ ...backfillJson(runs, wanted.origin), ...until });
    },
  );
}

function readRange(body: BackfillRequest, now: number): { from: number; to: number } {
  const from = readTime(body.from, '/from');
  const to = readTime(body.to, '/to');
  const issues: Issue[] = [];
  const wrong = (pointer: string, message: string) =>
    issues.push({ pointer, code: 'invalid_value', message });
  if (to > now) wrong('/to', 'this is still to come: the schedule itself will run it');
  if (from > to) wrong('/from', 'this is after "to"');
  if (issues.length > 0) throw new ApiError('invalid_request', describeIssues(issues), { issues });
  return { from, to };
}

function refuseTooMany({ count, more }: BackfillTimes): void {
  if (count <= MAX_BACKFILL && !more) return;
  const message = `these are ${more ? 'more than ' : ''}${count} runs, and one backfill has at most ${MAX_BACKFILL}: take a shorter range`;
  const issues = [{ pointer: '/to', code: 'too_many', message }];
  throw new ApiError('invalid_request', message, { issues });
}

function backfillJson(
  runs: readonly { nominalTime: number; dispatchAt: number }[],
  origin: string | null,
): Backfill {
  const [first] = runs;
  const last = runs.at(-1);
  return {
    origin: runs.length === 0 ? null : origin,
    count: runs.length,
    first: first ? timeText(first.nominalTime) : null,
    last: last ? timeText(last.nominalTime) : null,
    times: runs.slice(0, MAX_BACKFILL_SHOWN).map(({ nominalTime }) => timeText(nominalTime)),
    until: last ? timeText(last.dispatchAt) : null,
  };
}
