import { encodeEnvelope } from '@jetbeat/core';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { createEventPublisher } from '../events/event-publisher.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob, publishDead } from '../publishing/publish-one.ts';
import { jobSubject, parkedSubject, timerSubject } from '../streams/names.ts';
import { consumerState, jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { TestSource, toPublish } from '../testing.ts';
import { deleteJobMessage, findMessage, removeParked, removeTimer } from '../waiting/find-message.ts';

const namespace = testNamespace();
const queues = ['default', 'timers', 'parks', 'garbage', 'naks', 'lanes'];
let bus: Bus;
let raw: NatsConnection;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  await ensureTopology(bus, { ...testTopology, queues });
  raw = await connect({ servers: natsUrl() });
});
afterAll(async () => {
  await bus?.close();
  await raw?.close();
});

test('jobs are published, pulled with all that a worker needs, and leave the queue when acknowledged', async () => {
  const items = Array.from({ length: 1_200 }, () => toPublish());
  const results = await publishJobs(bus, items);
  expect(results.every((result) => result.ok && !result.duplicate && !result.delayed)).toBe(true);
  const again = await publishJobs(bus, items.slice(0, 10));
  expect(again.map((result) => result.ok && result.duplicate)).toEqual(Array(10).fill(true));

  const worker = new TestSource(bus);
  const end = await worker.pull({ batch: 2_000, noWait: true });
  expect(end).toEqual({ lane: 'normal', status: 'empty', undelivered: 800, outstanding: 0 });
  expect(worker.deliveries).toHaveLength(1_200);
  const [first] = worker.deliveries;
  expect(first).toMatchObject({
    queue: 'default',
    priority: 'normal',
    deliveryCount: 1,
    fromTimer: false,
    repeat: false,
  });
  expect(first?.traceparent).toBe(items[0]?.traceparent);
  expect(first?.subject).toBe(`${namespace}.jobs.default.normal.test.noop`);
  for (const delivery of worker.deliveries) delivery.ack();
  await bus.flush();
  expect(await worker.pull({ batch: 10, noWait: true })).toMatchObject({ status: 'empty', undelivered: 10 });
  await expect
    .poll(() => consumerState(bus, 'default', 'normal'))
    .toMatchObject({ pending: 0, ackPending: 0, idle: true });
  await worker.source.close();
  await worker.source.close();
});

test('the lanes of a queue are pulled apart; a pull that waits gets what comes, or expires', async () => {
  const worker = new TestSource(bus, { queue: 'lanes' });
  worker.source.pull('high', { batch: 1, expiresMs: 10_000 });
  const [result] = await publishJobs(bus, [toPublish({ queue: 'lanes', priority: 'high' })]);
  await worker.until(() => worker.ends.length === 1);
  expect(worker.ends).toEqual([{ lane: 'high', status: 'done', undelivered: 0, outstanding: 0 }]);
  expect(worker.deliveries[0]?.seq).toBe(result?.ok && result.seq);
  worker.deliveries[0]?.ack();
  expect(await worker.pull({ batch: 5, expiresMs: 300 }, 'low')).toEqual({
    lane: 'low',
    status: 'expired',
    undelivered: 5,
    outstanding: 0,
  });
  await worker.source.close();
});

test('what is given back comes again, at once or later, and says how often', async () => {
  await publishJobs(bus, [toPublish({ queue: 'naks' })]);
  const worker = new TestSource(bus, { queue: 'naks' });
  await worker.pull({ batch: 1 });
  worker.deliveries[0]?.nak();
  await worker.pull({ batch: 1 });
  worker.deliveries[1]?.nak(200);
  await worker.pull({ batch: 1 });
  expect(worker.deliveries.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 2, 3]);
  worker.deliveries[2]?.ack();
  await expect.poll(() => consumerState(bus, 'naks', 'normal')).toMatchObject({ idle: true });
  await worker.source.close();
});

test('a timer fires on its target with its headers; a later one replaces it, and it can be removed', async () => {
  const item = toPublish({ queue: 'timers' }, { repeat: true });
  const gone = toPublish({ queue: 'timers' });
  const hour = Date.now() + 3_600_000;
  const results = await publishJobs(bus, [
    { ...item, at: hour },
    { ...gone, at: hour },
  ]);
  expect(results.every((result) => result.ok && result.delayed)).toBe(true);
  const timer = await findMessage(bus, { subject: timerSubject(bus, item.envelope.id) });
  expect(timer?.envelope).toEqual(item.envelope);
  expect(await removeTimer(bus, gone.envelope.id)).toBe(1);
  expect(await removeTimer(bus, gone.envelope.id)).toBe(0);
  const next = { ...item, envelope: { ...item.envelope, run: 2 }, at: Date.now() + 300 };
  await publishJobs(bus, [next]);
  const worker = new TestSource(bus, { queue: 'timers' });
  await worker.pull({ batch: 1, expiresMs: 5_000 });
  const [fired] = worker.deliveries;
  expect(fired).toMatchObject({
    fromTimer: true,
    repeat: true,
    deliveryCount: 1,
    traceparent: item.traceparent,
  });
  expect(fired?.headers.get('Nats-Scheduler')).toBe(timerSubject(bus, item.envelope.id));
  expect(JSON.parse(Buffer.from(fired?.data ?? []).toString()).run).toBe(2);
  expect(Date.now()).toBeGreaterThanOrEqual(next.at);
  fired?.ack();
  // The server hands out what has fired a moment before it removes the timer.
  await expect.poll(() => findMessage(bus, { subject: timerSubject(bus, item.envelope.id) })).toBeUndefined();
  await worker.source.close();
});

test('a parked job waits under its subject, replaces itself, is found there, and can be deleted', async () => {
  const { envelope, traceparent } = toPublish({ queue: 'parks', parks: 1 });
  const what = { what: 'task', task: 'a.b' } as const;
  const subject = parkedSubject(bus, { queue: 'parks', what, id: envelope.id });
  const first = await parkJob(bus, { envelope, what, traceparent });
  expect((await parkJob(bus, { envelope, what, traceparent })).seq).toBe(first.seq);
  const second = await parkJob(bus, { envelope: { ...envelope, parks: 2 }, what, traceparent });
  const found = await findMessage(bus, { subject });
  expect(found).toMatchObject({ seq: second.seq, subject, traceparent, envelope: { parks: 2 } });
  expect(await findMessage(bus, { seq: first.seq })).toBeUndefined();
  expect(await deleteJobMessage(bus, second.seq)).toBe(true);
  expect(await deleteJobMessage(bus, second.seq)).toBe(false);
  await parkJob(bus, { envelope: { ...envelope, parks: 3 }, what: { what: 'doubt' }, traceparent });
  expect(await removeParked(bus, { id: envelope.id })).toBe(1);
});

test('garbage is delivered as it is, and becomes a dead letter that is stored once', async () => {
  const bytes = new Uint8Array([0, 255, 1, 2, 3]);
  raw.publish(`${namespace}.jobs.garbage.normal.not!a!task`, bytes);
  await raw.flush();
  const worker = new TestSource(bus, { queue: 'garbage' });
  await worker.pull({ batch: 1 });
  const [delivery] = worker.deliveries;
  if (!delivery) throw new Error('nothing was delivered');
  expect([...delivery.data]).toEqual([...bytes]);
  expect(delivery).toMatchObject({ repeat: false, fromTimer: false, traceparent: undefined });
  const letter = { reason: { code: 'malformed_message', text: 'not ours: ü\r\nX: y' }, from: { delivery } };
  await publishDead(bus, letter);
  await publishDead(bus, letter);
  delivery.ack();
  const sub = await raw.request(
    `$JS.API.STREAM.MSG.GET.${namespace}_DEAD`,
    JSON.stringify({ last_by_subj: `${namespace}.dead.>` }),
  );
  const { message } = sub.json<{ message: { subject: string; seq: number; data: string; hdrs: string } }>();
  expect(message).toMatchObject({
    subject: `${namespace}.dead.garbage.malformed`,
    seq: 1,
    data: Buffer.from(bytes).toString('base64'),
  });
  const headers = Buffer.from(message.hdrs, 'base64').toString();
  expect(headers).toContain('Jetbeat-Dead-Reason: malformed_message\r\n');
  expect(JSON.parse(/Jetbeat-Dead: (.*)\r\n/.exec(headers)?.[1] ?? '')).toMatchObject({
    reason: letter.reason,
    subject: delivery.subject,
  });
  await worker.source.close();
});

test('what cannot be published is refused with its reason, and the rest goes on', async () => {
  const before = await jobsStreamState(bus);
  const large = toPublish({ input: 'x'.repeat(bus.maxPayload) });
  const wrong = toPublish({ queue: 'no.queue' });
  const results = await publishJobs(bus, [
    large,
    wrong,
    toPublish({}, { messageId: 'a\r\nb' }),
    toPublish({}, { at: Number.NaN }),
    toPublish(),
  ]);
  expect(results.map((result) => (result.ok ? 'ok' : (result.error as { code?: string }).code))).toEqual([
    ...['payload_too_large', 'invalid_input', 'invalid_input', 'invalid_input', 'ok'],
  ]);
  const [first] = results;
  expect(!first?.ok && first?.error.message).toContain(`max_payload ${bus.maxPayload}`);
  expect((await jobsStreamState(bus)).lastSeq).toBe(before.lastSeq + 1);
  expect(bus.connected).toBe(true);
});

test('a call with one job does not wait for one with many', async () => {
  const bulk = publishJobs(
    bus,
    Array.from({ length: 20_000 }, () => toPublish({ queue: 'lanes', priority: 'low' })),
  );
  const [result] = await publishJobs(bus, [toPublish({ queue: 'lanes', priority: 'low' })]);
  const last = (await bulk).at(-1);
  expect(result?.ok && last?.ok && last.seq - result.seq).toBeGreaterThan(15_000);
});

test('without the streams a publish is refused as such', async () => {
  const elsewhere = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  // What a busy server has not answered yet when the time is over may be stored, for all that anybody knows.
  await expect
    .poll(() => publishJobs(elsewhere, [toPublish()], { timeoutMs: 400 }))
    .toMatchObject([{ ok: false, error: { code: 'no_stream' } }]);
  expect(jobSubject(elsewhere, toPublish().envelope)).toContain('.jobs.default.normal.test.noop');
  await elsewhere.close();
});

test('the largest job that is taken can be tried again, parked and dead; larger garbage is cut in its dead letter', async () => {
  const fits = await largest();
  const retry = { ...fits, envelope: { ...fits.envelope, attempt: 2, run: 2 } };
  const results = await publishJobs(bus, [fits, { ...retry, at: Date.now() + 600_000, repeat: true }]);
  expect(results.map(({ ok }) => ok)).toEqual([true, true]);
  const parked = { ...fits.envelope, parks: 1 };
  const what = { what: 'task', task: fits.envelope.task } as const;
  await parkJob(bus, { envelope: parked, what, traceparent: fits.traceparent });
  const reason = { code: 'attempts_used_up', text: 'x'.repeat(1_024) };
  await publishDead(bus, { reason, traceparent: fits.traceparent, from: { envelope: fits.envelope } });
  const events = createEventPublisher(bus);
  await events.publish({ kind: 'accepted', ...fits, seq: Number.MAX_SAFE_INTEGER });

  const data = new Uint8Array(bus.maxPayload);
  const subject = `${namespace}.jobs.garbage.normal.x`;
  const delivery = { subject, seq: 9_999, data, headers: new Map<string, string>() };
  await publishDead(bus, { reason: { code: 'malformed', text: 'no JSON' }, from: { delivery } });
  const manager = await jetstreamManager(raw);
  const letter = await manager.streams.getMessage(`${namespace}_DEAD`, {
    last_by_subj: `${namespace}.dead.garbage.x`,
  });
  expect(JSON.parse(letter?.header.get('Jetbeat-Dead') ?? '')).toMatchObject({
    reason: { code: 'malformed' },
    seq: 9_999,
    truncated: true,
    bytes: bus.maxPayload,
  });
});

/** The largest job that is taken, found by what is refused. */
async function largest() {
  const job = toPublish({ input: '' });
  const room = bus.maxPayload - 1_024 - encodeEnvelope(job.envelope).length;
  const sized = (length: number) => ({ ...job, envelope: { ...job.envelope, input: 'x'.repeat(length) } });
  const [refused] = await publishJobs(bus, [sized(room + 1)]);
  expect(refused?.ok === false && refused.error.code).toBe('payload_too_large');
  return sized(room);
}
