import { PAGE_SIZE, type PageQuery, PageQuerySchema } from '@jetbeat/core/http';
import { listTaskLimits } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { fleetSeenBy, seesTask } from '../access/sees-task.ts';
import { listedTaskJson } from '../fleet/task-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { namedPage } from '../requests/named-page.ts';

/** `GET /tasks`: all that a worker has served, or of which something was said at run time. */
export function listTasksRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings, cursors } = parts;
  app.get<{ Querystring: PageQuery }>(
    '/tasks',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks by name, with what holds for them',
        querystring: PageQuerySchema,
        response: { 200: answer('A page of tasks.', 'TaskPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { caller, query } = request;
      const { limit = PAGE_SIZE } = query;
      const [whole, said] = await Promise.all([parts.fleet(), listTaskLimits(db)]);
      const fleet = fleetSeenBy(caller, whole);
      const names = [...whole.tasks.keys(), ...said.keys()];
      const seen = names.filter((name) => seesTask(caller, name, settings, whole));
      const show = (name: string) =>
        listedTaskJson(name, { limits: said.get(name), fleet, settings, caller });
      return reply.send(namedPage(cursors.of(request), seen, { limit, show }));
    },
  );
}
