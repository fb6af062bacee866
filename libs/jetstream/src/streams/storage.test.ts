import type { StorageFigures } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { createEventPublisher } from '../events/event-publisher.ts';
import { openEventSource } from '../events/event-source.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { settled, testJob, toPublish } from '../testing.ts';
import { gaugeStorage } from './storage-figures.ts';
import { ensureTopology } from './topology.ts';
import { trimEvents } from './trim-events.ts';
import { publishStorage, serveStorage, watchStorage } from './watch-storage.ts';

const namespace = testNamespace();
let bus: Bus;
let recorder: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  recorder = await connectBus({ servers: natsUrl(), name: 'recorder', namespace });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
});
afterAll(() => Promise.all([bus?.close(), recorder?.close()]));

const figures = (share: number): StorageFigures => ({
  store: { used: 1_000 * share, limit: 1_000 },
  events: { used: 0, limit: 1_000 },
});

test('what is used is told, its bound only where somebody said it; of EVENTS what is not recorded', async () => {
  await publishJobs(bus, [toPublish()]);
  const events = createEventPublisher(bus);
  const sizes = Array.from({ length: 4 }, async (_, index) => {
    await events.publish(settled(testJob(), 'x'.repeat(10_000)));
    return index;
  });
  await Promise.all(sizes);
  await events.flush();
  const before = await gaugeStorage(bus);
  expect(before.figures.store.limit).toBeUndefined();
  expect(before.figures.store.used).toBeGreaterThan(40_000);
  expect(before.figures.events.used).toBe(before.events.bytes);
  expect(before.figures.events.limit).toBe(testTopology.eventsMaxBytes);

  const source = openEventSource(recorder, { maxBatches: 32, maxWaitMs: 500 });
  await expect
    .poll(async () => {
      for (const delivery of await source.next()) delivery.ack();
      await recorder.flush();
      return (await gaugeStorage(bus, { limit: 2 ** 30 })).figures;
    })
    .toMatchObject({
      store: { limit: 2 ** 30 },
      events: { used: 0 },
    });
  await source.close();
  await trimEvents(bus, { upTo: before.events.lastSeq, maxMessages: 100 });
  expect((await gaugeStorage(bus)).figures.events.used).toBe(0);
  await events.close();
});

test('a newcomer asks; afterwards the level comes by itself, and the gate stays shut until there is clear room', async () => {
  const serving = serveStorage(recorder, () => figures(0.85));
  await recorder.flush();
  let watch = watchStorage(bus);
  // Whoever has not answered after a quarter of a second is not waited for.
  await expect
    .poll(async () => {
      watch.close();
      watch = watchStorage(bus);
      await watch.begun;
      return watch.refusal;
    })
    .toContain('the storage of JetStream is 85 % full');
  await bus.flush();
  publishStorage(recorder, figures(0.75));
  await expect.poll(() => watch.last?.figures.store.used).toBe(750);
  expect(watch.refusal).toContain('75 % full');
  const room = watch.room(10_000);
  publishStorage(recorder, figures(0.6));
  await room;
  expect(watch.refusal).toBeUndefined();
  watch.close();
  await serving.close();
});

test('silence is not full: nobody answers a newcomer, and nobody speaks any more', async () => {
  let now = 1_000_000;
  const watch = watchStorage(bus, { clock: () => now });
  await watch.begun;
  // It listens, also where the server was too busy to say that nobody answers.
  await bus.flush();
  expect([watch.last, watch.refusal]).toEqual([undefined, undefined]);
  publishStorage(recorder, figures(0.9));
  await expect.poll(() => watch.refusal).toBeDefined();
  const before = performance.now();
  await watch.room(50);
  expect(performance.now() - before).toBeGreaterThanOrEqual(45);
  now += 5_001;
  expect([watch.last, watch.refusal]).toEqual([undefined, undefined]);
  await watch.room(10_000);
  watch.close();
});

test('what is no fill level is not listened to', async () => {
  const watch = watchStorage(bus);
  await watch.begun;
  await bus.flush();
  publishStorage(recorder, { store: { used: -1 }, events: {} } as unknown as StorageFigures);
  publishStorage(recorder, 'full' as unknown as StorageFigures);
  publishStorage(recorder, figures(0.1));
  await expect.poll(() => watch.last?.figures).toEqual(figures(0.1));
  watch.close();
  watch.close();
});
