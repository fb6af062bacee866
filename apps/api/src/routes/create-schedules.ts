import { describeIssues, InvalidInputError, type Issue, type ScheduleSpec } from '@jetbeat/core';
import {
  type ScheduleBatch,
  ScheduleBatchSchema,
  type ScheduleRequest,
  type Warning,
} from '@jetbeat/core/http';
import { type AuditOf, ConflictError, createSchedules, databaseTime } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller, Scoped } from '../access/caller.ts';
import { scheduleWarnings } from '../access/schedule-queue.ts';
import { timedId } from '../answers/asked-id.ts';
import { auditNote } from '../audit/audit-note.ts';
import { shownSchedule } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError, type ProblemCode } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { checkSchedule } from '../schedules/check-schedule.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { nextTime } from '../schedules/schedule-json.ts';
import { createTurns } from '../turns.ts';

/** Wrong places that are told of one batch. */
const MAX_ISSUES = 64;
const MAX_WARNINGS = 20;
/** Of all of them together. */
const MAX_KEYS = 100_000;

/** `POST /schedules/batch`: all of them, or none. */
export function createSchedulesRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.post<{ Body: ScheduleBatch }>(
    '/schedules/batch',
    {
      config: { role: 'operator', scope: 'new', maxKeys: MAX_KEYS },
      schema: {
        operationId: 'createSchedules',
        tags: ['schedules'],
        summary: 'Create many schedules, all of them or none',
        body: ScheduleBatchSchema,
        response: {
          201: answer('All are created.', 'ScheduleBatchAnswer'),
          ...problems(400, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const definitions = await readAll(parts, request.caller, request.body.schedules);
      const now = await databaseTime(db);
      const idOf = timedId(request, now);
      const schedules = definitions.map((definition) => {
        const nextAt = nextTime({ definition, createdAt: now }, now);
        return {
          id: idOf(`schedule ${definition.name}`),
          definition,
          ...(nextAt === undefined ? {} : { nextAt }),
        };
      });
      const taken = await createSchedules(db, { schedules, now, audit: auditAll(request) }).catch(
        (error: unknown) => {
          if (!(error instanceof ConflictError)) throw error;
          throw new ApiError('schedule_exists', error.message, { cause: error });
        },
      );
      if (taken.length > 0) throw exists(definitions, taken);
      request.log.info({ schedules: definitions.length, by: request.caller.id }, 'schedules created');
      const warnings = await warningsOf(parts, request.caller, definitions);
      return reply.status(201).send({ created: definitions.length, warnings });
    },
  );
}

/** Each has a row of its own, so that it is found by its name. */
function auditAll(request: FastifyRequest): AuditOf<ScheduleSpec> {
  const note = auditNote(request);
  return (_before, after) => {
    const target = { kind: 'schedule', id: after?.name ?? '' } as const;
    return { note, action: 'schedule.create', target, after: after && shownSchedule(after) };
  };
}

/** Reads and checks every one, and names what is wrong with each of them. */
async function readAll(
  parts: Parts,
  caller: Caller,
  requests: readonly ScheduleRequest[],
): Promise<ScheduleSpec[]> {
  const fleet = await parts.fleet();
  const issues: Issue[] = [];
  const names = new Map<string, number>();
  const definitions: ScheduleSpec[] = [];
  let code: ProblemCode | undefined;
  const others = createTurns();
  for (const [index, request] of requests.entries()) {
    const pointer = `/schedules/${index}`;
    const before = names.get(request.name);
    if (before !== undefined) {
      const message = `this name is that of /schedules/${before} too`;
      issues.push({ pointer: `${pointer}/name`, code: 'invalid_value', message });
    }
    names.set(request.name, before ?? index);
    try {
      const definition = readSchedule(request);
      checkSchedule(parts, { definition, fleet, now: parts.clock(), caller, pointer });
      definitions.push(definition);
    } catch (error) {
      if (error instanceof ApiError) {
        code ??= error.code;
        issues.push(...error.issues);
      } else if (error instanceof InvalidInputError) {
        issues.push(...error.issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` })));
      } else throw error;
    }
    if (issues.length >= MAX_ISSUES) break;
    await others();
  }
  if (issues.length > 0) throw new ApiError(code ?? 'invalid_request', describeIssues(issues), { issues });
  return definitions;
}

function exists(definitions: readonly ScheduleSpec[], taken: readonly string[]): ApiError {
  const gone = new Set(taken);
  const issues = definitions.flatMap(({ name }, index) => {
    const message = `there is a schedule named ${JSON.stringify(name)} already`;
    return gone.has(name) ? [{ pointer: `/schedules/${index}/name`, code: 'exists', message }] : [];
  });
  return new ApiError('schedule_exists', describeIssues(issues), { issues: issues.slice(0, MAX_ISSUES) });
}

/** One for each task and queue that nobody serves. */
async function warningsOf(
  parts: Parts,
  caller: Scoped,
  definitions: readonly ScheduleSpec[],
): Promise<Warning[]> {
  const fleet = await parts.fleet();
  const warnings = new Map<string, Warning>();
  const view = { caller, settings: parts.settings, fleet };
  for (const definition of definitions) {
    for (const warning of scheduleWarnings({ definition }, view)) warnings.set(warning.message, warning);
    if (warnings.size >= MAX_WARNINGS) break;
  }
  return [...warnings.values()];
}
