import { deleteSchedule, getSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { stillSees } from '../access/schedule-queue.ts';
import { auditOf } from '../audit/audit-note.ts';
import { shownSchedule } from '../audit/audit-shown.ts';
import type { Parts } from '../parts.ts';
import { problems } from '../problems/problem-responses.ts';
import { matches } from '../requests/entity-tag.ts';
import { stale } from '../schedules/change-schedule.ts';
import { found, IF_MATCH, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `DELETE /schedules/{name}`: its jobs and their history stay. */
export function deleteScheduleRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.delete<{ Params: { name: string }; Headers: { 'if-match'?: string } }>(
    '/schedules/:name',
    {
      config: { role: 'operator', scope: 'schedule', headers: ['if-match'] },
      schema: {
        operationId: 'deleteSchedule',
        tags: ['schedules'],
        summary: 'Delete a schedule; its jobs stay',
        params: SCHEDULE_PARAMS,
        headers: IF_MATCH,
        response: { 204: { description: 'Deleted.', type: 'null' }, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const ifMatch = request.headers['if-match'];
      const { caller } = request;
      const check = stillSees({ caller, settings, fleet: await parts.fleet() });
      const look = async () => {
        const schedule = found(known(name) ? await getSchedule(db, name) : undefined, name);
        check(schedule);
        return schedule;
      };
      const read = await look();
      if (!matches(ifMatch, read.version)) throw stale(read, undefined, { ifMatch, caller });
      const only = ifMatch === undefined ? undefined : read.version;
      const audit = auditOf(request, 'schedule.delete', { kind: 'schedule', id: name }, shownSchedule);
      if (!(await deleteSchedule(db, name, { version: only, audit, check }))) {
        // Somebody was faster.
        throw stale(await look(), undefined, { ifMatch, caller });
      }
      request.log.info({ schedule: name, by: caller.id }, 'schedule deleted');
      return reply.status(204).send();
    },
  );
}
