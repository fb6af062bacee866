import { randomBytes } from 'node:crypto';
import { type AuditAction, isName, uuidV7 } from '@jetbeat/core';
import { SchedulePutSchema, type ScheduleRequest } from '@jetbeat/core/http';
import { ConflictError, createSchedule, databaseTime } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { checkCallbacks } from '../access/check-payloads.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownSchedule } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { type Conditions, conditionsOf, onlyIfNone } from '../requests/preconditions.ts';
import { changeSchedule } from '../schedules/change-schedule.ts';
import { checkSchedule } from '../schedules/check-schedule.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { found, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

interface Put {
  Params: { name: string };
  Headers: Conditions;
  Body: Omit<ScheduleRequest, 'name'> & { name?: string };
}

/** `PUT /schedules/{name}`: creates it, or makes it what the body says. */
export function putScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  app.put<Put>(
    '/schedules/:name',
    {
      config: { role: 'operator', scope: 'schedule', headers: ['if-match', 'if-none-match'] },
      schema: {
        operationId: 'putSchedule',
        tags: ['schedules'],
        summary: 'Create a schedule, or make it what the body says; what is left out has its default',
        params: SCHEDULE_PARAMS,
        headers: conditionsOf('the schedule'),
        body: SchedulePutSchema,
        response: {
          200: answer('The schedule as it is then.', 'Schedule', 'ETag'),
          201: answer('Created.', 'Schedule', 'ETag', 'Location'),
          ...problems(400, 404, 409, 412, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { caller } = request;
      const { name } = request.params;
      const ifMatch = request.headers['if-match'];
      const ifNone = onlyIfNone(request.headers['if-none-match']);
      const definition = readSchedule({ ...request.body, name: nameOf(name, request.body.name) });
      checkCallbacks(caller, definition.job);
      const auditAs = (action: AuditAction) =>
        auditOf(request, action, { kind: 'schedule', id: name }, shownSchedule);
      const audit = auditAs('schedule.change');
      const write = () => definition;
      const change = (onlyIfNone: boolean) =>
        changeSchedule(parts, { name, caller, keepsInput: false, ifMatch, onlyIfNone, write, audit });
      let result = await change(ifNone);
      let created = false;
      if (!result) {
        // Whoever names a version has read a schedule that is gone.
        if (ifMatch !== undefined) found(undefined, name);
        checkSchedule(parts, { definition, fleet: await parts.fleet(), now: parts.clock(), caller });
        const now = await databaseTime(db);
        const id = uuidV7(now, randomBytes(10));
        const made = createSchedule(db, { id, name, definition, now, audit: auditAs('schedule.create') });
        created = await made.then(() => true, whetherTaken);
        result = await change(ifNone && !created);
      }
      const { schedule, changed, warnings } = found(result, name);
      if (created || changed)
        request.log.info(
          { schedule: name, by: request.caller.id, version: schedule.version },
          'schedule put',
        );
      const body = { ...(await showSchedule(db, schedule)), warnings };
      if (created) void reply.status(201).header('location', request.url);
      return reply.header('etag', entityTag(schedule.version)).send(body);
    },
  );
}

/** The name in the address; one in the body says the same. */
function nameOf(name: string, inBody: string | undefined): string {
  const wrong = (pointer: string, message: string) =>
    new ApiError('invalid_request', message, { issues: [{ pointer, code: 'invalid_value', message }] });
  if (!isName('schedule', name))
    throw wrong(
      'name',
      'the address has no name of a schedule: tokens of A-Z a-z 0-9 _ - joined by dots or %2F',
    );
  if (inBody === undefined || inBody === name) return name;
  throw wrong(
    '/name',
    `this is not the name in the address, and a schedule keeps its name: make another one`,
  );
}

/** Somebody has made it at the same moment. */
function whetherTaken(error: unknown): boolean {
  if (error instanceof ConflictError) return false;
  throw error;
}
