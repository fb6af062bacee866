import type { FastifyInstance } from 'fastify';
import { showTask, TASK_PARAMS } from '../fleet/find-task.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag } from '../requests/entity-tag.ts';

/** `GET /tasks/{name}` */
export function getTaskRoute(app: FastifyInstance, parts: Parts): void {
  app.get<{ Params: { task: string } }>(
    '/tasks/:task',
    {
      config: { role: 'viewer', scope: 'task' },
      schema: {
        operationId: 'getTask',
        tags: ['tasks'],
        summary: 'Get a task with what holds for it',
        params: TASK_PARAMS,
        response: { 200: answer('The task.', 'Task', 'ETag'), ...problems(404) },
      },
    },
    async ({ params, caller }, reply) => {
      const task = await showTask(parts, params.task, caller);
      return reply.header('etag', entityTag(task.version)).send(task);
    },
  );
}
