import { deleteSchedule } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { problems } from '../problem-responses.ts';
import { found, known, SCHEDULE_PARAMS } from './get-schedule.ts';

/** `DELETE /schedules/{name}`: its jobs and their history stay. */
export function deleteScheduleRoute(app: FastifyInstance, { db }: Parts): void {
  app.delete<{ Params: { name: string } }>(
    '/schedules/:name',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'deleteSchedule',
        tags: ['schedules'],
        summary: 'Delete a schedule; its jobs stay',
        params: SCHEDULE_PARAMS,
        response: { 204: { description: 'Deleted.', type: 'null' }, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const deleted = known(name) && (await deleteSchedule(db, name));
      found(deleted || undefined, name);
      request.log.info({ schedule: name, by: request.keyId }, 'schedule deleted');
      return reply.status(204).send();
    },
  );
}
