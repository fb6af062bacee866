import { decodeBatch } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { silentLog } from '../connection/log.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { eventsState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { trimEvents } from '../streams/trim-events.ts';
import { settled, testJob, toPublish } from '../testing.ts';
import { createEventPublisher } from './event-publisher.ts';
import { type EventDelivery, openEventSource } from './event-source.ts';

let bus: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues: [] });
});
afterAll(() => bus?.close());

const jobsIn = (batches: readonly EventDelivery[]) =>
  batches.flatMap(({ data }) => decodeBatch(data).events.map((event) => ('job' in event ? event.job : '')));

test('events are stored in batches, read by several recorders that share them, recorded and trimmed', async () => {
  const publisher = createEventPublisher(bus);
  const jobs = Array.from({ length: 2_000 }, () => testJob());
  const stored = await Promise.all(jobs.map((job) => publisher.publish(settled(job))));
  const last = Math.max(...stored.map(({ seq }) => seq));
  expect(last).toBeLessThan(30);
  expect(await eventsState(bus)).toMatchObject({ lastSeq: last, recordedUpTo: 0, messages: last });

  const sources = [1, 2].map(() => openEventSource(bus, { maxBatches: 3, maxWaitMs: 300 }));
  /** By both; nothing within 300 ms alone is no end on a machine that is busy. */
  let read = 0;
  const readAll = async (source: (typeof sources)[number]) => {
    const seen: string[] = [];
    for (;;) {
      const batches = await source.next();
      if (batches.length === 0 && read === jobs.length) return seen;
      expect(batches.length).toBeLessThanOrEqual(3);
      const ids = jobsIn(batches);
      seen.push(...ids);
      read += ids.length;
      for (const batch of batches) batch.ack();
    }
  };
  const seen = (await Promise.all(sources.map(readAll))).flat();
  expect(seen.sort()).toEqual(jobs.map(({ id }) => id).sort());
  await expect.poll(() => eventsState(bus)).toMatchObject({ recordedUpTo: last, pending: 0, ackPending: 0 });

  expect(await trimEvents(bus, { upTo: last - 1, maxMessages: 2 })).toBe(2);
  expect(await eventsState(bus)).toMatchObject({ firstSeq: 3, lastSeq: last });
  expect(await trimEvents(bus, { upTo: last - 1, maxMessages: 1_000 })).toBe(last - 3);
  expect(await trimEvents(bus, { upTo: last - 1, maxMessages: 1_000 })).toBe(0);
  expect(await eventsState(bus)).toMatchObject({ messages: 1 });
  await Promise.all([...sources.map((source) => source.close()), publisher.close()]);
});

test('what a recorder had not taken when it closed goes to the next one at once', async () => {
  const publisher = createEventPublisher(bus, { maxEvents: 1 });
  const jobs = Array.from({ length: 6 }, () => testJob());
  await Promise.all(jobs.map((job) => publisher.publish(settled(job))));
  const first = openEventSource(bus, { maxBatches: 2, maxWaitMs: 2_000 });
  const taken = await first.next();
  for (const batch of taken) batch.ack();
  await first.close();
  expect(await first.next()).toEqual([]);
  const second = openEventSource(bus, { maxBatches: 20, maxWaitMs: 2_000 });
  const rest = new Set<string>();
  while (rest.size < jobs.length - taken.length) {
    const batches = await second.next();
    expect(batches.length).toBeGreaterThan(0);
    for (const id of jobsIn(batches)) rest.add(id);
    for (const batch of batches) batch.ack();
  }
  expect([...jobsIn(taken), ...rest].sort()).toEqual(expect.arrayContaining(jobs.map(({ id }) => id).sort()));
  await second.close();
  await publisher.close();
});

test('a result larger than a message does not hold up the queue', async () => {
  const publisher = createEventPublisher(bus);
  const large = testJob();
  const good = testJob();
  await Promise.all([
    publisher.publish(settled(large, 'x'.repeat(2 * bus.maxPayload))),
    publisher.publish(settled(good, { fine: true })),
    expect(
      publisher.publish({
        kind: 'accepted',
        envelope: testJob({ input: 'x'.repeat(bus.maxPayload) }),
        traceparent: '',
        seq: 1,
      }),
    ).rejects.toMatchObject({
      code: 'payload_too_large',
    }),
  ]);
  const source = openEventSource(bus, { maxBatches: 10, maxWaitMs: 1_000 });
  const results = new Map<string, unknown>();
  while (results.size < 2) {
    const batches = await source.next();
    expect(batches.length).toBeGreaterThan(0);
    for (const batch of batches) {
      for (const event of decodeBatch(batch.data).events)
        if (event.kind === 'settled') results.set(event.job, event.result);
      batch.ack();
    }
  }
  expect(results.get(large.id)).toEqual({ truncated: true, bytes: 2 * bus.maxPayload + 2 });
  expect(results.get(good.id)).toEqual({ fine: true });
  await source.close();
  await publisher.close();
});

test('a pull is bounded by bytes too, and nothing is refused or waited for because of it', async () => {
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (about: unknown) => warnings.push(about) };
  const own = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace(), log });
  await ensureTopology(own, { ...testTopology, queues: [] });
  const publisher = createEventPublisher(own, { maxEvents: 1 });
  const half = own.maxPayload / 2;
  const jobs = Array.from({ length: 12 }, () => testJob());
  for (const job of jobs) await publisher.publish(settled(job, 'x'.repeat(half)));
  // One message of the largest size always fits, however small the bound.
  const source = openEventSource(own, { maxBatches: 100, maxBytes: 1, maxWaitMs: 5_000, log });
  const seen = [];
  while (seen.length < jobs.length) {
    const batches = await source.next();
    expect(batches.length).toBeLessThanOrEqual(2);
    seen.push(...jobsIn(batches));
    for (const batch of batches) batch.ack();
  }
  expect(seen.sort()).toEqual(jobs.map(({ id }) => id).sort());
  expect(warnings).toEqual([]);
  await Promise.all([source.close(), publisher.close()]);
  await own.close();
});

test('with EVENTS full the publisher waits and goes on when there is room again', async () => {
  const small = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(small, { queues: [], ackWaitMs: 1_000, eventsMaxBytes: 65_536 });
  const publisher = createEventPublisher(small, { maxEvents: 1, maxQueued: 10, maxInFlight: 1 });
  const sent = Array.from({ length: 15 }, () => publisher.publish(settled(testJob(), 'x'.repeat(8_000))));
  expect(publisher.full).toBe(true);
  await expect.poll(async () => (await eventsState(small)).bytes).toBeGreaterThan(50_000);
  const { lastSeq } = await eventsState(small);
  expect(await trimEvents(small, { upTo: lastSeq, maxMessages: 100 })).toBe(lastSeq);
  await Promise.all(sent.slice(0, lastSeq + 3));
  await expect
    .poll(
      async () => publisher.queued > 0 && (await trimEvents(small, { upTo: 1_000, maxMessages: 100 })) > 0,
    )
    .toBe(true);
  await Promise.all(sent);
  await publisher.flush();
  expect(publisher.queued).toBe(0);
  await small.close();
});

test('with the whole store full a job is refused at once, definitely not stored', async () => {
  const nats = await startOwnNats({ maxFile: 4 * 1024 ** 2 });
  const full = await connectBus({ servers: nats.url, name: 'test' });
  try {
    await ensureTopology(full, { queues: ['default'], ackWaitMs: 1_000, eventsMaxBytes: 1024 ** 2 });
    const results = await publishJobs(
      full,
      Array.from({ length: 200 }, () => toPublish({ input: 'x'.repeat(50_000) })),
    );
    const codes = new Set(
      results.map((result) => (result.ok ? 'ok' : (result.error as { code?: string }).code)),
    );
    expect(codes).toEqual(new Set(['ok', 'storage_full']));
  } finally {
    await full.close();
    await nats.stop();
  }
});
