import { expect, test } from 'vitest';
import type { JobEnvelope } from './jobs/envelope.ts';
import {
  attemptSpanId,
  commitSpan,
  createProcessSpans,
  fireSpan,
  outcomeAttributes,
  recordSpan,
  type SpanFacts,
  sendManySpan,
  sendSpan,
  settleSpan,
  waitSpan,
} from './spans.ts';

const id = '01a1f917-4cb8-7b67-ac83-e256f5759a71';
const runId = '01a1f918-0000-7000-8abc-0123456789ab';
const job: JobEnvelope = {
  v: 1,
  id,
  task: 'mail.send',
  queue: 'mail',
  priority: 'high',
  input: 1,
  attempt: 2,
  run: 3,
  parks: 0,
  createdAt: 1_700_000_000_000,
  runAt: 1_700_000_000_000,
};
const scheduled: JobEnvelope = {
  ...job,
  schedule: { id, name: 'nightly', nominalTime: 1_699_999_999_500, origin: 'plan' },
};
const about = {
  'jetbeat.job.id': id,
  'jetbeat.task': 'mail.send',
  'jetbeat.queue': 'mail',
  'jetbeat.priority': 'high',
  'jetbeat.attempt': 2,
  'jetbeat.run': 3,
};
const message = {
  'messaging.system': 'nats',
  'messaging.system.name': 'nats',
  'messaging.destination.name': 'jobs.mail.high.mail.send',
  'messaging.destination.template': 'jobs.{queue}.{priority}.{task}',
  'messaging.message.id': `${id}.2.3.0`,
};
const schedule = {
  'jetbeat.schedule.name': 'nightly',
  'jetbeat.schedule.nominal_time': '2023-11-14T22:13:19.500Z',
};

/** With what it shares with others among what it says. */
function whole({ name, kind, shared, attributes }: SpanFacts): SpanFacts {
  return { name, kind, attributes: { ...shared, ...attributes } };
}

test('a schedule fires', () => {
  expect(fireSpan(scheduled)).toEqual({
    name: 'fire nightly',
    kind: 'internal',
    attributes: { ...about, ...schedule, 'jetbeat.lateness_ms': 500 },
  });
  expect(fireSpan(job)).toMatchObject({ name: 'fire ', attributes: { 'jetbeat.lateness_ms': 0 } });
});

test('a job is committed, alone or with others', () => {
  expect(commitSpan(1)).toEqual({
    name: 'commit job',
    kind: 'client',
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'COMMIT',
      'db.collection.name': 'job',
    },
  });
  expect(commitSpan(3).attributes).toMatchObject({ 'db.operation.batch.size': 3 });
});

test('a job is sent, at once or for later', () => {
  expect(sendSpan(job)).toEqual({
    name: 'send mail',
    kind: 'producer',
    attributes: {
      ...message,
      ...about,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
    },
  });
  expect(sendSpan({ ...job, runAt: job.createdAt + 1_000 }).attributes).toMatchObject({
    'jetbeat.run_at': '2023-11-14T22:13:21.000Z',
  });
});

test('many jobs are sent together', () => {
  expect(sendManySpan('mail.send', 500)).toMatchObject({
    name: 'send mail.send',
    kind: 'producer',
    attributes: { 'messaging.batch.message_count': 500, 'jetbeat.task': 'mail.send' },
  });
});

test('a job waits, is processed and settled', () => {
  expect(waitSpan(job)).toEqual({
    name: 'wait mail',
    kind: 'internal',
    attributes: { 'jetbeat.attempt': 2 },
  });
  const processSpan = createProcessSpans('w');
  const processed = processSpan(scheduled, { runId, deliveryCount: 1 });
  expect(whole(processed)).toEqual({
    name: 'process mail.send',
    kind: 'consumer',
    attributes: {
      ...message,
      ...about,
      ...schedule,
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.consumer.group.name': 'mail_high',
      'messaging.client.id': 'w',
      'jetbeat.run.id': runId,
    },
  });
  expect(processSpan({ ...job, attempt: 3 }, { runId, deliveryCount: 2 }).shared).toBe(processed.shared);
  expect(processSpan({ ...job, queue: 'other' }, { runId, deliveryCount: 1 }).shared).not.toBe(
    processed.shared,
  );
  expect(processSpan(job, { runId, deliveryCount: 2 }).attributes).toMatchObject({
    'jetbeat.deliveries': 2,
  });
  expect(outcomeAttributes('succeeded', undefined)).toEqual({ 'jetbeat.outcome': 'succeeded' });
  expect(outcomeAttributes('failed', 'TypeError')).toEqual({
    'jetbeat.outcome': 'failed',
    'error.type': 'TypeError',
  });
  const settle = {
    'messaging.system': 'nats',
    'messaging.system.name': 'nats',
    'messaging.operation.type': 'settle',
    'messaging.operation.name': 'ack',
  };
  const retrying = { state: 'retrying', attempt: 3, runAt: 1_700_000_005_000 } as const;
  expect(whole(settleSpan(job, 'failed', retrying))).toEqual({
    name: 'settle mail',
    kind: 'client',
    attributes: {
      ...settle,
      'jetbeat.outcome': 'failed',
      'jetbeat.next': 'retrying',
      'jetbeat.next.run_at': '2023-11-14T22:13:25.000Z',
    },
  });
  expect(whole(settleSpan(job, 'succeeded', { state: 'succeeded' })).attributes).toEqual({
    ...settle,
    'jetbeat.outcome': 'succeeded',
    'jetbeat.next': 'succeeded',
  });
  expect(whole(settleSpan(job, 'cancelled', undefined)).attributes).toEqual({
    ...settle,
    'jetbeat.outcome': 'cancelled',
  });
});

test('attempts of one kind share what is the same for all, and of more kinds than are remembered none is wrong', () => {
  const processSpan = createProcessSpans('worker-1');
  const spanOf = (task: string) => processSpan({ ...job, task }, { runId, deliveryCount: 1 });
  expect(spanOf('mail.send').shared).toBe(spanOf('mail.send').shared);
  for (let n = 0; n < 1_000; n++) spanOf(`mail.kind${n}`);
  const late = spanOf('mail.late');
  expect(late.shared).toMatchObject({ 'jetbeat.task': 'mail.late' });
  expect(spanOf('mail.late').shared).not.toBe(late.shared);
});

test('an attempt is recorded', () => {
  expect(recordSpan({ id, runId }, 7)).toMatchObject({
    name: 'record',
    kind: 'consumer',
    attributes: { 'messaging.batch.message_count': 7, 'jetbeat.job.id': id, 'jetbeat.run.id': runId },
  });
});

test('the span of an attempt follows from its run', () => {
  expect(attemptSpanId(runId)).toBe('8abc0123456789ab');
});
