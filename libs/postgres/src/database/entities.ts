import type {
  Concurrency,
  PolicyOverrides,
  Priority,
  QueueLimits,
  QueuePause,
  RateLimit,
  TaskRate,
} from '@jetbeat/core';
import { defineEntity, p } from '@mikro-orm/core';
import type { QueuePurge } from '../queues/queue-purge.ts';

/** A row of `worker`. */
export const WorkerEntity = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  properties: {
    id: p.text().primary(),
    state: p.text().$type<'running' | 'stopped'>(),
    host: p.text(),
    pid: p.integer(),
    version: p.text(),
    queues: p.array(),
    concurrency: p.integer(),
    draining: p.boolean(),
    held: p.integer(),
    startedAt: p.datetime(),
    /** By the worker's own clock: which of two of its reports is the later one. */
    saidAt: p.datetime(),
    /** By PostgreSQL's clock: whether it is alive. */
    heardAt: p.datetime(),
    tasks: p.array(),
  },
});

/** A row of `task`. */
export const TaskEntity = defineEntity({
  name: 'Task',
  tableName: 'task',
  properties: {
    name: p.text().primary(),
    inputSchema: p.json<unknown>().nullable(),
    queue: p.text().nullable(),
    priority: p.text().$type<Priority>().nullable(),
    policy: p.json<PolicyOverrides>().nullable(),
    seenAt: p.datetime(),
  },
});

/** A row of `queue`. */
export const QueueEntity = defineEntity({
  name: 'Queue',
  tableName: 'queue',
  properties: {
    name: p.text().primary(),
    version: p.integer(),
    concurrency: p.integer().nullable(),
    rateLimit: p.json<RateLimit>().nullable(),
    maxDepth: p.integer().nullable(),
    /** What the configuration says. */
    initial: p.json<QueueLimits>(),
    paused: p.json<QueuePause>().nullable(),
    purge: p.json<QueuePurge>().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A row of `task_limit`. */
export const TaskLimitEntity = defineEntity({
  name: 'TaskLimit',
  tableName: 'task_limit',
  properties: {
    name: p.text().primary(),
    version: p.integer(),
    rateLimit: p.json<TaskRate>().nullable(),
    concurrency: p.json<Concurrency>().nullable(),
    updatedAt: p.datetime(),
  },
});

/** A row of `audit`, as it is written. */
export const AuditEntity = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    actorKind: p.text(),
    actorId: p.text(),
    actorName: p.text(),
    actorRole: p.text(),
    address: p.text().nullable(),
    reason: p.text().nullable(),
    traceId: p.text().nullable(),
    action: p.text(),
    targetKind: p.text(),
    targetId: p.text(),
    before: p.json<unknown>().nullable(),
    after: p.json<unknown>().nullable(),
  },
});

/** Every entity there is: discovery is by this list alone. */
export const entities = [WorkerEntity, TaskEntity, TaskLimitEntity, QueueEntity, AuditEntity];
