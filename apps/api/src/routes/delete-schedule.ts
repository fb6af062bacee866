import { deleteSchedule, getSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { stale } from '../change-schedule.ts';
import { matches } from '../entity-tag.ts';
import type { Parts } from '../parts.ts';
import { problems } from '../problem-responses.ts';
import { found, IF_MATCH, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `DELETE /schedules/{name}`: its jobs and their history stay. */
export function deleteScheduleRoute(app: FastifyInstance, { db }: Parts): void {
  app.delete<{ Params: { name: string }; Headers: { 'if-match'?: string } }>(
    '/schedules/:name',
    {
      config: { role: 'operator', headers: ['if-match'] },
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
      const read = found(known(name) ? await getSchedule(db, name) : undefined, name);
      if (!matches(ifMatch, read.version)) throw stale(read, undefined, ifMatch ?? '');
      const only = ifMatch === undefined ? undefined : read.version;
      if (!(await deleteSchedule(db, name, only))) {
        // Somebody was faster.
        throw stale(found(await getSchedule(db, name), name), undefined, ifMatch ?? '');
      }
      request.log.info({ schedule: name, by: request.keyId }, 'schedule deleted');
      return reply.status(204).send();
    },
  );
}
