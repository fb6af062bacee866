import { listTaskLimits } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problem-responses.ts';
import { taskJson } from '../task-json.ts';

/** `GET /tasks`: all that a worker has served, or of which something was said at run time. */
export function listTasksRoute(app: FastifyInstance, parts: Parts): void {
  const { db, settings } = parts;
  app.get(
    '/tasks',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks with what holds for them',
        response: { 200: answer('All tasks, in the order of their names.', 'TaskList'), ...problems() },
      },
    },
    async (_request, reply) => {
      const [fleet, said] = await Promise.all([parts.fleet(), listTaskLimits(db)]);
      const names = [...new Set([...fleet.tasks.keys(), ...said.keys()])].sort();
      const items = names.map((name) =>
        taskJson(name, { task: fleet.tasks.get(name), limits: said.get(name), fleet, settings }),
      );
      return reply.send({ items, nextCursor: null });
    },
  );
}
