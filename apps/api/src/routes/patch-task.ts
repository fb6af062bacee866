import {
  describeIssues,
  InvalidInputError,
  readPolicy,
  type TaskRequest,
  TaskRequestSchema,
} from '@jetbeat/core';
import { changeTaskLimits, type TaskLimitsChange } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownTask } from '../audit/audit-shown.ts';
import { showTask, TASK_PARAMS } from '../fleet/find-task.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

/** `PATCH /tasks/{name}`: stored, then told to every worker. */
export function patchTaskRoute(app: FastifyInstance, parts: Parts): void {
  const { db, tellTask, clock } = parts;
  app.patch<{ Params: { task: string }; Body: TaskRequest }>(
    '/tasks/:task',
    {
      config: { role: 'operator', scope: 'every' },
      schema: {
        operationId: 'changeTask',
        tags: ['tasks'],
        summary: 'Change limits of a task',
        params: TASK_PARAMS,
        body: TaskRequestSchema,
        response: { 200: answer('The task.', 'Task'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { task: name } = request.params;
      const { version, ...said } = request.body;
      await showTask(parts, name, request.caller);
      const change = readChange(said);
      const limits = await changeTaskLimits(db, {
        ...{ name, now: clock() },
        audit: auditOf(request, 'task.change', { kind: 'task', id: name }, shownTask),
        change(found) {
          if (version !== undefined && version !== found.version) {
            const message = `the task ${name} has version ${found.version} by now, not ${version}: read it again`;
            throw new ApiError('task_changed', message);
          }
          return change;
        },
      });
      await tellTask(limits);
      request.log.info({ task: name, by: request.caller.id }, 'limits of a task changed');
      return reply.send(await showTask(parts, name, request.caller, limits));
    },
  );
}

/** Throws InvalidInputError for a period out of its bounds, or a key that is no text to be kept. */
function readChange({ rateLimit, concurrencyKey }: Omit<TaskRequest, 'version'>): TaskLimitsChange {
  const { policy, issues } = readPolicy({
    rateLimit: rateLimit ?? undefined,
    concurrencyKey: concurrencyKey ?? undefined,
  });
  if (issues.length > 0) throw new InvalidInputError(describeIssues(issues), issues);
  return {
    ...(rateLimit === null ? { rate: null } : policy.rate ? { rate: policy.rate } : {}),
    ...(concurrencyKey === null
      ? { concurrency: null }
      : policy.concurrency
        ? { concurrency: policy.concurrency }
        : {}),
  };
}
