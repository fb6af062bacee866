import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnNats, startOwnNats, testTopology } from '../../../../test/support/nats.ts';
import { createEventPublisher } from '../events/event-publisher.ts';
import { openEventSource } from '../events/event-source.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { settled, TestSource, testJob, toPublish } from '../testing.ts';
import type { Bus } from './bus.ts';
import { connectBus } from './connect-bus.ts';

let nats: OwnNats;
let bus: Bus;
const topology = { ...testTopology, queues: ['default'] };

beforeEach(async () => {
  nats = await startOwnNats();
  bus = await connectBus({ servers: nats.url, name: 'test' });
  await ensureTopology(bus, topology);
});
afterEach(async () => {
  await bus?.close();
  await nats?.stop();
});

/** Resolves with what is told at the next reconnect. */
const reconnected = () => new Promise<{ serverChanged: boolean }>((resolve) => void bus.onReconnect(resolve));

test('a server that is killed while jobs are published loses none, stores none twice, and repeats are marked', async () => {
  const items = Array.from({ length: 10_000 }, () => toPublish());
  const back = reconnected();
  const publishing = publishJobs(bus, items, { timeoutMs: 15_000 });
  await expect
    .poll(async () => (await jobsStreamState(bus)).messages, { interval: 5, timeout: 15_000 })
    .toBeGreaterThan(1_000);
  await nats.kill();
  await nats.start();
  const results = await publishing;
  expect(await back).toEqual({ serverChanged: true });
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect((await jobsStreamState(bus)).messages).toBe(items.length);

  const worker = new TestSource(bus);
  const end = await worker.pull({ batch: items.length, expiresMs: 18_000 });
  expect(end.status).toBe('done');
  const ids = worker.deliveries.map((delivery) => JSON.parse(Buffer.from(delivery.data).toString()).id);
  expect(new Set(ids)).toEqual(new Set(items.map(({ envelope }) => envelope.id)));
  // At most what was in flight at the kill was sent again with the mark.
  const marked = worker.deliveries.filter(({ repeat }) => repeat).length;
  expect(marked).toBeLessThanOrEqual(1_000);
});

test('pulls that are out when the server is killed end as lost, and new ones get the jobs', async () => {
  const worker = new TestSource(bus);
  worker.source.pull('normal', { batch: 10, expiresMs: 60_000 });
  worker.source.pull('high', { batch: 3, expiresMs: 60_000 });
  expect(worker.source.outstanding('normal')).toBe(10);
  const back = reconnected();
  await nats.kill();
  await expect.poll(() => bus.connected).toBe(false);
  // Asked for while there is nobody to ask: it ends after the reconnect like the others.
  worker.source.pull('low', { batch: 1 });
  await nats.start();
  await back;
  await worker.until(() => worker.ends.length === 3);
  expect(
    worker.ends.map(({ lane, status, undelivered }) => `${lane} ${status} ${undelivered}`).sort(),
  ).toEqual([...['high lost 3', 'low lost 1', 'normal lost 10']]);
  await publishJobs(bus, [toPublish()]);
  expect(await worker.pull({ batch: 1 })).toMatchObject({ status: 'done' });
  worker.deliveries[0]?.ack();
});

test('events go on after a restart: every promise resolves, every event is stored', async () => {
  const publisher = createEventPublisher(bus, { maxEvents: 10, maxQueued: 50 });
  const jobs = Array.from({ length: 90 }, () => testJob());
  const early = jobs.slice(0, 40).map((job) => publisher.publish(settled(job)));
  await nats.kill();
  const late: Promise<{ seq: number }>[] = [];
  for (const job of jobs.slice(40)) late.push(publisher.publish(settled(job)));
  expect(publisher.full).toBe(true);
  // Beyond twice its limit it refuses.
  const refused = Array.from({ length: 100 }, () => publisher.publish(settled(testJob())));
  const outcomes = Promise.allSettled(refused);
  const space = new Promise<void>((resolve) => void publisher.onSpace(resolve));
  await nats.start();
  const stored = await Promise.all([...early, ...late]);
  await space;
  expect(publisher.full).toBe(false);
  expect(stored.every(({ seq }) => seq > 0)).toBe(true);
  const codes = (await outcomes).map((outcome) =>
    outcome.status === 'rejected' ? outcome.reason.code : 'stored',
  );
  expect(codes).toContain('event_queue_full');

  const source = openEventSource(bus, { maxBatches: 100, maxWaitMs: 3_000 });
  const seen = new Set<string>();
  while (seen.size < 90 + codes.filter((code) => code === 'stored').length) {
    const batches = await source.next();
    if (batches.length === 0) break;
    for (const batch of batches) {
      for (const event of JSON.parse(Buffer.from(batch.data).toString())) seen.add(event.job);
      batch.ack();
    }
  }
  for (const job of jobs) expect(seen).toContain(job.id);
  await publisher.close();
  await expect(publisher.publish(settled(testJob()))).rejects.toMatchObject({ code: 'nats_closed' });
});

test('an event source goes on after a restart', async () => {
  const source = openEventSource(bus, { maxBatches: 10, maxWaitMs: 15_000 });
  const waiting = source.next();
  const back = reconnected();
  await nats.kill();
  await nats.start();
  await back;
  const publisher = createEventPublisher(bus);
  await publisher.publish(settled(testJob()));
  expect(await waiting).toHaveLength(1);
});

test('after a lost store the topology is made again and everything goes on', async () => {
  const worker = new TestSource(bus);
  const publisher = createEventPublisher(bus);
  const back = reconnected();
  await nats.kill();
  const event = publisher.publish(settled(testJob()));
  await nats.start({ wiped: true });
  expect(await back).toEqual({ serverChanged: true });
  // What a busy server has not answered yet when the time is over may be stored, for all that anybody knows.
  await expect
    .poll(() => publishJobs(bus, [toPublish()], { timeoutMs: 300 }))
    .toMatchObject([{ error: { code: 'no_stream' } }]);
  expect(await worker.pull({ batch: 1 })).toMatchObject({ status: 'refused', undelivered: 1 });
  await ensureTopology(bus, topology);
  expect((await event).seq).toBe(1);
  expect(await publishJobs(bus, [toPublish()])).toMatchObject([{ ok: true, seq: 1 }]);
  expect(await worker.pull({ batch: 1 })).toMatchObject({ status: 'done' });
});

test('while the server is away, publishing says that nothing was stored, in time for all', async () => {
  await nats.kill();
  await expect.poll(() => bus.connected).toBe(false);
  const results = await publishJobs(
    bus,
    Array.from({ length: 1_500 }, () => toPublish()),
    { timeoutMs: 500 },
  );
  for (const result of results) expect(result).toMatchObject({ ok: false, error: { code: 'not_connected' } });
  await expect(bus.rtt()).rejects.toMatchObject({ code: 'jetstream_call_failed' });
});
