import { listTaskLimits } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { fleetSeenBy, seesTask } from '../access/sees-task.ts';
import { taskJson } from '../fleet/task-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `GET /tasks`: all that a worker has served, or of which something was said at run time. */
export function listTasksRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.get(
    '/tasks',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks with what holds for them',
        response: { 200: answer('All tasks, in the order of their names.', 'TaskList'), ...problems() },
      },
    },
    async ({ caller }, reply) => {
      const [whole, said] = await Promise.all([parts.fleet(), listTaskLimits(db)]);
      const fleet = fleetSeenBy(caller, whole);
      const known = [...new Set([...whole.tasks.keys(), ...said.keys()])].sort();
      const names = known.filter((name) => seesTask(caller, name, settings, whole));
      const items = names.map((name) =>
        taskJson(name, { task: fleet.tasks.get(name), limits: said.get(name), fleet, settings, caller }),
      );
      return reply.send({ items, nextCursor: null });
    },
  );
}
