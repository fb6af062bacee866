import { connectBus, ensureTopology } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { createQueueRate } from './queue-rate.ts';

test('two workers together begin no more than the rate lets them, and all of it is used', async () => {
  const namespace = testNamespace();
  const limit = { limit: 50, periodMs: 1_000, burst: 5 };
  const begun: number[] = [];
  const errors: unknown[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const worker = async () => {
    const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
    onTestFinished(() => bus.close());
    await ensureTopology(bus, { ...testTopology, queues: [] });
    const left = () => 100 - begun.length;
    const look = () => {
      while (left() > 0 && rate.take() !== undefined) begun.push(Date.now());
      if (left() === 0) resolve();
      else rate.lease();
    };
    const rate = createQueueRate({
      bus,
      queue: 'q',
      now: Date.now,
      limit: () => limit,
      wanted: () => Math.min(5, left()),
      onStart: look,
      onError: (error) => errors.push(error),
    });
    onTestFinished(() => rate.close());
    return look;
  };
  const looks = [await worker(), await worker()];
  for (const look of looks) look();
  await done;
  expect(errors).toEqual([]);
  // A start may be used 100 ms late.
  const most = Math.max(...begun.map((from) => begun.filter((at) => at >= from && at < from + 850).length));
  expect(most).toBeLessThanOrEqual(55);
  expect((begun.at(-1) ?? 0) - (begun[0] ?? 0)).toBeGreaterThan(1_500);
}, 20_000);

test('a start that was taken and not used is for another one while it is good, and lost then', async () => {
  const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  onTestFinished(() => bus.close());
  await ensureTopology(bus, { ...testTopology, queues: [] });
  const clock = { now: Date.now() };
  const { promise: leased, resolve } = Promise.withResolvers<void>();
  const rate = createQueueRate({
    bus,
    queue: 'q',
    now: () => clock.now,
    onStart: resolve,
    wanted: () => 1,
    limit: () => ({ limit: 2, periodMs: 1_000, burst: 1 }),
    onError: () => {},
  });
  onTestFinished(() => rate.close());
  rate.lease();
  await leased;
  const start = rate.take();
  if (start === undefined) throw new Error('no start is due');
  expect(rate.take()).toBeUndefined();
  rate.giveBack(start);
  // Half of the time between two starts.
  clock.now += 250;
  expect([rate.isGood(start), rate.take()]).toEqual([true, start]);
  clock.now += 1;
  rate.giveBack(start);
  expect([rate.isGood(start), rate.take()]).toEqual([false, undefined]);
});
