import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = { JETBEAT_TASKS: resolve(import.meta.dirname, 'trace-tasks.ts') };
const FAILED = 2;
// Three apps start in each, with all of OpenTelemetry.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let receiver: OtlpReceiver;
let apps: AppGroup;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  apps = await startAppGroup({ ...receiver.env, ...tasks });
  await apps.start('api');
  await Promise.all([apps.start('scheduler'), apps.start('recorder'), apps.start('worker')]);
});
afterAll(async () => {
  await apps?.stop();
  await receiver?.stop();
});

async function post(body: object, headers: Record<string, string> = {}) {
  const answer = await apps.http.call<{ id: string }>('POST', '/jobs', body, headers);
  expect(answer.status).toBe(202);
  const traceparent = answer.headers.get('traceparent') ?? '';
  return { id: answer.body.id, traceId: traceparent.slice(3, 35), serverSpan: traceparent.slice(36, 52) };
}

/**
 * The spans of a trace as soon as so many of its attempts are recorded and settled, and no span but the first lacks its parent: the apps
 * send theirs in any order.
 */
function recorded(traceId: string, count: number): Promise<ReceivedSpan[]> {
  return waitUntil(`${count} attempts of the trace ${traceId} are recorded`, () => {
    const spans = receiver.trace(traceId);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const first = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
    const [records, settles] = [named(spans, 'record'), named(spans, 'settle default')];
    return records.length >= count && settles.length >= count && first.length === 1 && spans;
  });
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name === name);
}

function one(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const [found, ...others] = named(spans, name);
  if (!found || others.length > 0) throw new Error(`${named(spans, name).length} spans are called ${name}`);
  return found;
}

/** Every span but one has its parent in the trace, and none begins before its parent. */
function expectOneTree(spans: readonly ReceivedSpan[], root: ReceivedSpan): void {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size).toBe(spans.length);
  for (const span of spans) {
    const parent = byId.get(span.parentSpanId ?? '');
    expect([span.name, parent === undefined]).toEqual([span.name, span === root]);
    if (parent) expect(span.start).toBeGreaterThanOrEqual(parent.start - 2);
    expect(span.end).toBeGreaterThanOrEqual(span.start);
  }
}

test('a schedule fires a job that is tried three times: one trace', async () => {
  const schedule = { name: 'flaky', when: { every: '1s' }, job: { task: 'trace.flaky', input: {} } };
  expect((await apps.http.call('POST', '/schedules', schedule)).status).toBe(201);
  const done = await waitUntil('the third attempt', () =>
    named(receiver.spans, 'process trace.flaky').find((span) => span.attributes['jetbeat.attempt'] === 3),
  );
  expect((await apps.http.call('DELETE', '/schedules/flaky')).status).toBe(204);
  const spans = await recorded(done.traceId, 3);
  const jobId = String(done.attributes['jetbeat.job.id']);
  expect(done.traceId).toBe(jobId.replaceAll('-', ''));
  expect((await apps.http.job(jobId)).traceId).toBe(done.traceId);

  const fire = one(spans, 'fire flaky');
  expectOneTree(spans, fire);
  const send = one(spans, 'send default');
  expect(fire).toMatchObject({ service: 'jetbeat-scheduler', kind: 1 });
  expect(fire.attributes).toMatchObject({
    'jetbeat.schedule.name': 'flaky',
    'jetbeat.job.id': jobId,
    'jetbeat.lateness_ms': expect.any(Number),
  });
  expect(one(spans, 'commit job')).toMatchObject({ kind: 3, parentSpanId: fire.spanId });
  expect(send).toMatchObject({ service: 'jetbeat-scheduler', kind: 4, parentSpanId: fire.spanId });
  expect(send.attributes).toMatchObject({
    'messaging.system': 'nats',
    'messaging.system.name': 'nats',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'jobs.default.normal.trace.flaky',
    'messaging.message.id': `${jobId}.1.1.0`,
  });

  const attempts = named(spans, 'process trace.flaky');
  const waits = named(spans, 'wait default');
  const settles = named(spans, 'settle default');
  const records = named(spans, 'record');
  const own = named(spans, 'own work');
  expect([attempts, waits, settles, records, own].map(({ length }) => length)).toEqual([3, 3, 3, 3, 3]);
  expect(attempts.map(({ links }) => links.map(({ spanId }) => spanId))).toEqual([
    [],
    [attempts[0]?.spanId],
    [attempts[1]?.spanId],
  ]);
  for (const [index, attempt] of attempts.entries()) {
    const number = index + 1;
    const outcome = number < 3 ? 'failed' : 'succeeded';
    expect(attempt).toMatchObject({ service: 'jetbeat-worker', kind: 5, parentSpanId: send.spanId });
    expect(attempt.attributes).toMatchObject({
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': 'default_normal',
      'jetbeat.task': 'trace.flaky',
      'jetbeat.queue': 'default',
      'jetbeat.priority': 'normal',
      'jetbeat.attempt': number,
      'jetbeat.run': number,
      'jetbeat.schedule.name': 'flaky',
      'jetbeat.schedule.nominal_time': expect.stringMatching(/^20.*Z$/),
      'jetbeat.outcome': outcome,
      'test.mark': number,
      ...(number < 3 ? { 'error.type': 'RangeError' } : {}),
    });
    expect(attempt.status.code === FAILED).toBe(number < 3);
    if (number < 3) expect(attempt.status.message).toBe(`attempt ${number} fails`);
    expect(own[index]?.parentSpanId).toBe(attempt.spanId);
    expect(waits[index]).toMatchObject({ parentSpanId: send.spanId, end: attempt.start });
    expect(waits[index]?.attributes).toEqual({ 'jetbeat.attempt': number });
    expect(settles[index]).toMatchObject({ parentSpanId: attempt.spanId, kind: 3, start: attempt.end });
    expect(settles[index]?.attributes).toMatchObject({
      'messaging.operation.type': 'settle',
      'jetbeat.outcome': outcome,
      'jetbeat.next': number < 3 ? 'retrying' : 'succeeded',
    });
    expect(records.find(({ parentSpanId }) => parentSpanId === attempt.spanId)).toMatchObject({
      service: 'jetbeat-recorder',
      kind: 5,
    });
    expect(attempt.end - attempt.start).toBeGreaterThan(15);
    expect(attempt.end - attempt.start).toBeLessThan(2_000);
  }
  // The transaction's statements are in the trace of the batch's first attempt.
  const statements = spans.filter(({ name }) => name.startsWith('pg.query:'));
  expect(statements.some(({ service }) => service === 'jetbeat-recorder')).toBe(true);
  expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(3);
});

test('a request is in its caller’s trace, and what its job enqueues too', async () => {
  const traceId = `${'c'.repeat(31)}1`;
  const caller = `00-${traceId}-${'d'.repeat(16)}-01`;
  const job = await post({ task: 'trace.parent', input: {} }, { traceparent: caller });
  expect(job.traceId).toBe(traceId);
  expect((await apps.http.jobIn(job.id, ['succeeded'])).traceId).toBe(traceId);
  const spans = await recorded(traceId, 2);
  const server = one(spans, 'POST /api/v1/jobs');
  expect(server).toMatchObject({ service: 'jetbeat-api', kind: 2, parentSpanId: 'd'.repeat(16) });
  expect(server.spanId).toBe(job.serverSpan);
  expect(server.attributes).toMatchObject({
    'http.route': '/api/v1/jobs',
    'http.response.status_code': 202,
    'url.path': '/api/v1/jobs',
  });
  expectOneTree(spans, server);
  const process = one(spans, 'process trace.parent');
  const sends = named(spans, 'send default');
  expect(sends.map(({ service }) => service)).toEqual(['jetbeat-api', 'jetbeat-worker']);
  expect(process.parentSpanId).toBe(sends[0]?.spanId);
  const calling = one(spans, 'calling');
  expect(calling.parentSpanId).toBe(process.spanId);
  expect(sends[1]?.parentSpanId).toBe(calling.spanId);
  expect(one(spans, 'process system.echo').parentSpanId).toBe(sends[1]?.spanId);
});

test.each(['thread', 'process'])(
  'a %s makes spans of its job’s trace, and what it enqueues hangs on them',
  async (kind) => {
    const job = await post({ task: `trace.${kind}`, input: {} });
    const done = await apps.http.jobIn(job.id, ['succeeded']);
    const spans = await recorded(job.traceId, 2);
    expectOneTree(spans, one(spans, 'POST /api/v1/jobs'));
    const process = one(spans, `process trace.${kind}`);
    const apart = one(spans, 'apart');
    const { pid } = done.result as { pid: number };
    expect(apart).toMatchObject({ service: 'jetbeat-worker', kind: 1, parentSpanId: process.spanId });
    expect(apart.resource).toEqual(process.resource);
    expect(apart.attributes).toEqual({ pid });
    expect(pid === process.resource['process.pid']).toBe(kind === 'thread');
    expect(done.result).toMatchObject({ traceparent: `00-${job.traceId}-${apart.spanId}-01` });
    expect(named(spans, 'send default').map(({ parentSpanId }) => parentSpanId)).toContain(apart.spanId);
  },
);

test('without a caller the request begins the trace; statements are shown without values', async () => {
  const job = await post({ task: 'system.echo', input: { secret: 'hunter2' } });
  const spans = await recorded(job.traceId, 1);
  const server = one(spans, 'POST /api/v1/jobs');
  expectOneTree(spans, server);
  expect(server.spanId).toBe(job.serverSpan);
  const insert = spans.find(({ name }) => name.startsWith('pg.query:INSERT'));
  expect(insert).toMatchObject({ service: 'jetbeat-api', kind: 3, parentSpanId: server.spanId });
  expect(String(insert?.attributes['db.query.text'])).toContain('insert into job');
  expect(JSON.stringify(receiver.spans)).not.toContain('hunter2');
  // The ORM writes values into its statements; a queue is looked up by one.
  await apps.http.call('GET', '/queues/nowhere');
  const statement = await waitUntil('the look for a queue is told', async () => {
    const statements = receiver.spans.map((span) => String(span.attributes['db.query.text']));
    return statements.find((text) => text.includes('from "queue"'));
  });
  expect(statement).toContain('"name" = ?');
});
