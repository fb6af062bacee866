import { isDeepStrictEqual } from 'node:util';
import { describeIssues, InvalidInputError, readPolicy, type TaskLimits } from '@jetbeat/core';
import { type TaskRequest, TaskRequestSchema } from '@jetbeat/core/http';
import { changeTaskLimits, type TaskLimitsChange, type TaskLimitsRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { auditOf } from '../audit/audit-note.ts';
import { shownTask } from '../audit/audit-shown.ts';
import { showTask, TASK_PARAMS } from '../fleet/find-task.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { entityTag, matches } from '../requests/entity-tag.ts';
import { type IfMatch, ifMatchOf } from '../requests/preconditions.ts';

/** `PATCH /tasks/{name}`: stored, then told to every worker. */
export function patchTaskRoute(app: FastifyInstance, parts: Parts): void {
  const { db, tellTask, clock } = parts;
  app.patch<{ Params: { task: string }; Headers: IfMatch; Body: TaskRequest }>(
    '/tasks/:task',
    {
      config: { role: 'operator', scope: 'every', headers: ['if-match'] },
      schema: {
        operationId: 'changeTask',
        tags: ['tasks'],
        summary: 'Change limits of a task',
        params: TASK_PARAMS,
        headers: ifMatchOf('the task'),
        body: TaskRequestSchema,
        response: { 200: answer('The task.', 'Task', 'ETag'), ...problems(400, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { task: name } = request.params;
      const { version, ...said } = request.body;
      const ifMatch = request.headers['if-match'];
      await showTask(parts, name, request.caller);
      const change = readChange(said);
      let changed = false;
      const limits = await changeTaskLimits(db, {
        name,
        now: clock(),
        audit: auditOf(request, 'task.change', { kind: 'task', id: name }, shownTask),
        change(found) {
          // What was made already is no change, so that whoever lost the answer may repeat the request.
          changed = !isMade(change, found.own);
          if (!changed) return {};
          const isRead = version === undefined || version === found.version;
          if (!isRead || !matches(ifMatch, found.version)) throw stale(found, ifMatch ?? String(version));
          return change;
        },
      });
      await tellTask(limits);
      if (changed) request.log.info({ task: name, by: request.caller.id }, 'limits of a task changed');
      const task = await showTask(parts, name, request.caller, limits);
      return reply.header('etag', entityTag(task.version)).send(task);
    },
  );
}

function isMade({ rate, concurrency }: TaskLimitsChange, own: TaskLimits): boolean {
  const isSame = (said: unknown, is: unknown) =>
    said === undefined || isDeepStrictEqual(said ?? undefined, is);
  return isSame(rate, own.rate) && isSame(concurrency, own.concurrency);
}

function stale({ name, version }: TaskLimitsRecord, asked: string): ApiError {
  const message = `the task ${name} has version ${version} by now, not ${asked}: read it again`;
  return new ApiError('task_changed', message);
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
