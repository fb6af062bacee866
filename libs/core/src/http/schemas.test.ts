import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { SCHEDULE_FIELDS } from '../schedules/schedule.ts';
import { ApiKeyPageSchema, ApiKeyRequestSchema } from './api-key.ts';
import { AuditPageSchema, AuditQuerySchema } from './audit.ts';
import { BatchPageSchema, BatchRequestSchema } from './batch.ts';
import {
  DeadLetterPageSchema,
  DeadLetterQuerySchema,
  ReplayAllRequestSchema,
  ReplayRequestSchema,
  ReplaySchema,
} from './dead-letter.ts';
import { HealthSchema } from './health.ts';
import { JobRequestSchema } from './job.ts';
import { JobCountsSchema, JobPageSchema, JobQuerySchema } from './job-query.ts';
import { CancelRequestSchema } from './job-verbs.ts';
import { JobsRequestSchema } from './jobs-batch.ts';
import { GAP_REASONS, LiveEventSchema, LiveQuerySchema } from './live.ts';
import { PreviewRequestSchema } from './preview.ts';
import { ProblemSchema } from './problem.ts';
import {
  PurgeAnswerSchema,
  PurgeRequestSchema,
  QueuePageSchema,
  QueuePauseRequestSchema,
  QueueRequestSchema,
} from './queue.ts';
import { ScheduleBatchSchema, SchedulePutSchema, ScheduleRequestSchema } from './schedule.ts';
import { BackfillRequestSchema, PauseRequestSchema, TriggerRequestSchema } from './schedule-verbs.ts';
import { EndSessionsSchema, SessionPageSchema, SignInSchema } from './session.ts';
import { StatsSchema } from './stats.ts';
import { TaskPageSchema, TaskRequestSchema } from './task.ts';
import { ConcurrencyRequestSchema, WorkerPageSchema, WorkerQueuesRequestSchema } from './worker.ts';

const fits = (schema: TSchema, value: unknown) => Compile(schema).Check(value);
const examplesOf = (schema: TSchema) => (schema as { examples?: unknown[] }).examples ?? [];

test.each([
  ['JobRequest', JobRequestSchema],
  ['JobsRequest', JobsRequestSchema],
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
  ['ApiKeyRequest', ApiKeyRequestSchema],
  ['SignIn', SignInSchema],
  ['BatchRequest', BatchRequestSchema],
  ['ConcurrencyRequest', ConcurrencyRequestSchema],
  ['WorkerQueuesRequest', WorkerQueuesRequestSchema],
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

test.each([
  ['ApiKeyPage', ApiKeyPageSchema],
  ['AuditPage', AuditPageSchema],
  ['SessionPage', SessionPageSchema],
  ['BatchPage', BatchPageSchema],
  ['WorkerPage', WorkerPageSchema],
] as const)('%s may be empty, and takes no item that is nothing', (_, schema) => {
  expect(fits(schema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(schema, { items: [{}], nextCursor: null })).toBe(false);
});

test('one signs in with one thing', () => {
  for (const wrong of [{}, { key: 'a', code: 'b' }, { key: '' }, { key: 'x'.repeat(257) }])
    expect(fits(SignInSchema, wrong), JSON.stringify(wrong)).toBe(false);
  expect(fits(SignInSchema, { code: 'b' })).toBe(true);
});

test('sessions are ended by one thing that says which, never for want of one', () => {
  for (const wrong of [
    {},
    { others: false },
    { others: true, key: 'a' },
    { subject: '' },
    { subject: 'a\0' },
  ])
    expect(fits(EndSessionsSchema, wrong), JSON.stringify(wrong)).toBe(false);
  for (const right of [{ others: true }, { key: 'a' }, { subject: 'a|b c' }])
    expect(fits(EndSessionsSchema, right), JSON.stringify(right)).toBe(true);
});

test('what is asked of the audit log and of events has its form', () => {
  expect(fits(AuditQuerySchema, { action: 'queue.pause' })).toBe(true);
  expect(fits(AuditQuerySchema, { action: 'a\u0000b' })).toBe(false);
  expect(fits(LiveQuerySchema, { type: ['job.succeeded'] })).toBe(true);
  expect(fits(LiveQuerySchema, { type: ['job.vanished'] })).toBe(false);
  expect(GAP_REASONS).toContain('slow');
  expect(fits(LiveEventSchema, {})).toBe(false);
});

test('pages, queries, problems and health have their shapes', () => {
  expect(fits(JobPageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(JobPageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(JobQuerySchema, { limit: 50, state: ['queued'] })).toBe(true);
  expect(fits(JobQuerySchema, { limit: 201 })).toBe(false);
  expect(fits(JobQuerySchema, { search: 'state:dead', 'meta.a.b': 'x' })).toBe(true);
  for (const wrong of [
    { 'meta.': 'x' },
    { 'meta.a b': 'x' },
    { 'meta.a': ['x'] },
    { search: '' },
    { meta: 'x' },
  ])
    expect(fits(JobQuerySchema, wrong), JSON.stringify(wrong)).toBe(false);
  expect(fits(JobCountsSchema, { states: {}, total: { value: 0, capped: false } })).toBe(false);
  expect(fits(StatsSchema, {})).toBe(false);
  expect(fits(HealthSchema, { ok: true, checks: [{ name: 'database', ok: true }] })).toBe(true);
  expect(fits(ProblemSchema, { title: 'only a title' })).toBe(false);
});

test('queues, tasks and dead letters have their shapes', () => {
  expect(fits(TaskPageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(TaskPageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(QueuePageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(QueuePageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(QueueRequestSchema, { concurrency: -1 })).toBe(false);
  expect(fits(PurgeAnswerSchema, { removed: 1 })).toBe(false);
  expect(fits(DeadLetterPageSchema, { items: [], nextCursor: null })).toBe(true);
  expect(fits(DeadLetterPageSchema, { items: [{}], nextCursor: null })).toBe(false);
  expect(fits(DeadLetterQuerySchema, { task: 'a b' })).toBe(false);
  expect(fits(ReplaySchema, {})).toBe(false);
});

test('a schedule that is written in code may say what its request may, and nothing else', () => {
  expect([...SCHEDULE_FIELDS].sort()).toEqual(Object.keys(SchedulePutSchema.properties).sort());
});
