import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { ensureTopology } from '../streams/topology.ts';
import { TestSource, testJob, toPublish } from '../testing.ts';
import { queueMoves } from './queue-moves.ts';

const queues = ['idle', 'waits', 'given'];
let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'queue-moves', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues });
});
afterAll(() => bus?.close());

test('a queue goes on while somebody waits for its jobs, or has just been given one', async () => {
  const waits = new TestSource(bus, { queue: 'waits' });
  waits.source.pull('low-front', { batch: 1, expiresMs: 20_000 });
  const given = new TestSource(bus, { queue: 'given' });
  await publishJobs(bus, [toPublish(testJob({ queue: 'given' }))]);
  given.source.pull('normal', { batch: 1, expiresMs: 20_000 });
  // Nobody waits any more.
  await expect.poll(() => given.source.outstanding('normal')).toBe(0);
  expect(await queueMoves(bus, 'given')).toBe(true);
  await expect.poll(() => queueMoves(bus, 'waits'), { timeout: 10_000 }).toBe(true);
  expect(await queueMoves(bus, 'idle')).toBe(false);
  expect(await queueMoves(bus, 'nobody_made_it')).toBe(false);
});
