import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import {
  DeadLetterPageSchema,
  DeadLetterQuerySchema,
  ReplayAllRequestSchema,
  ReplayRequestSchema,
  ReplaySchema,
} from './dead-letter.ts';
import { HealthSchema } from './health.ts';
import { JobPageSchema, JobQuerySchema, JobRequestSchema } from './job.ts';
import { CancelRequestSchema } from './job-verbs.ts';
import { PreviewRequestSchema } from './preview.ts';
import { ProblemSchema } from './problem.ts';
import {
  PurgeAnswerSchema,
  PurgeRequestSchema,
  QueueListSchema,
  QueuePauseRequestSchema,
  QueueRequestSchema,
} from './queue.ts';
import { ScheduleBatchSchema, SchedulePutSchema, ScheduleRequestSchema } from './schedule.ts';
import { BackfillRequestSchema, PauseRequestSchema, TriggerRequestSchema } from './schedule-verbs.ts';
import { TaskListSchema, TaskRequestSchema } from './task.ts';

const fits = (schema: TSchema, value: unknown) => Compile(schema).Check(value);
const examplesOf = (schema: TSchema) => (schema as { examples?: unknown[] }).examples ?? [];

test.each([
  ['JobRequest', JobRequestSchema],
  ['CancelRequest', CancelRequestSchema],
  ['ScheduleRequest', ScheduleRequestSchema],
  ['SchedulePut', SchedulePutSchema],
  ['ScheduleBatch', ScheduleBatchSchema],
  ['PauseRequest', PauseRequestSchema],
  ['PreviewRequest', PreviewRequestSchema],
  ['TriggerRequest', TriggerRequestSchema],
  ['BackfillRequest', BackfillRequestSchema],
  ['QueueRequest', QueueRequestSchema],
  ['QueuePauseRequest', QueuePauseRequestSchema],
  ['PurgeRequest', PurgeRequestSchema],
  ['TaskRequest', TaskRequestSchema],
  ['ReplayRequest', ReplayRequestSchema],
  ['ReplayAllRequest', ReplayAllRequestSchema],
] as const)('%s takes its examples, and no field more', (_, schema) => {
  expect(examplesOf(schema).length).toBeGreaterThan(0);
  for (const example of examplesOf(schema)) {
    expect(fits(schema, example)).toBe(true);
    expect(fits(schema, { ...(example as object), surprise: 1 })).toBe(false);
  }
});

test('names, durations and times are checked by their form', () => {
  const job = { task: 'a.b', input: null };
  expect(fits(JobRequestSchema, job)).toBe(true);
  for (const wrong of [
    { task: 'a b' },
    { queue: 'a.b' },
    { priority: 'urgent' },
    { delay: '5 s' },
    { meta: { a: 1 } },
  ]) {
    expect(fits(JobRequestSchema, { ...job, ...wrong }), JSON.stringify(wrong)).toBe(false);
  }
});

test('pages, queries, problems and health have their shapes', () => {
  expect(fits(JobPageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(JobPageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(JobQuerySchema, { limit: 50, state: ['queued'] })).toBe(true);
  expect(fits(JobQuerySchema, { limit: 201 })).toBe(false);
  expect(fits(HealthSchema, { ok: true, checks: [{ name: 'database', ok: true }] })).toBe(true);
  expect(fits(ProblemSchema, { title: 'only a title' })).toBe(false);
});

test('queues, tasks and dead letters have their shapes', () => {
  expect(fits(TaskListSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(TaskListSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(QueueListSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(QueueListSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(QueueRequestSchema, { concurrency: -1 })).toBe(false);
  expect(fits(PurgeAnswerSchema, { removed: 1 })).toBe(false);
  expect(fits(DeadLetterPageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(DeadLetterPageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(DeadLetterQuerySchema, { task: 'a b' })).toBe(false);
  expect(fits(ReplaySchema, {})).toBe(false);
});
