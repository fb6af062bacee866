import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { checkPatch } from '../access/check-payloads.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownSchedule } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag } from '../requests/entity-tag.ts';
import { changeSchedule } from '../schedules/change-schedule.ts';
import { createPatch } from '../schedules/patch-schedule.ts';
import { found, IF_MATCH, known, SCHEDULE_PARAMS, showSchedule } from './get-schedule.ts';

const BODY = Type.Object(
  {},
  {
    // What a schedule is, which is not repeated here; the patched one is held against its schema.
    additionalProperties: true,
    title: 'SchedulePatch',
    description:
      'A JSON merge patch (RFC 7396) of what `PUT` takes: what is null gets its default, objects are merged, all else is replaced.',
    examples: [{ overlap: 'allow' }],
  },
);

/** `PATCH /schedules/{name}`: changes what it names. */
export function patchScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db } = parts;
  const patch = createPatch();
  app.patch<{ Params: { name: string }; Headers: { 'if-match'?: string }; Body: unknown }>(
    '/schedules/:name',
    {
      config: { role: 'operator', scope: 'schedule', headers: ['if-match'] },
      schema: {
        operationId: 'patchSchedule',
        tags: ['schedules'],
        summary: 'Change some of what a schedule is, from this moment on',
        params: SCHEDULE_PARAMS,
        headers: IF_MATCH,
        body: BODY,
        response: {
          200: answer('The schedule as it is then.', 'Schedule', 'ETag'),
          ...problems(400, 404, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const ifMatch = request.headers['if-match'];
      checkPatch(request.caller, request.body);
      const result = known(name)
        ? await changeSchedule(parts, {
            name,
            caller: request.caller,
            keepsInput: true,
            ifMatch,
            audit: auditOf(request, 'schedule.change', { kind: 'schedule', id: name }, shownSchedule),
            write: ({ definition }) => patch(definition, request.body),
          })
        : undefined;
      const { schedule, changed, warnings } = found(result, name);
      if (changed)
        request.log.info(
          { schedule: name, by: request.caller.id, version: schedule.version },
          'schedule changed',
        );
      return reply
        .header('etag', entityTag(schedule.version))
        .send({ ...(await showSchedule(db, schedule)), warnings });
    },
  );
}
