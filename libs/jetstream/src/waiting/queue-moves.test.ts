import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { ensureTopology } from '../streams/topology.ts';
import { TestSource, testJob, toPublish } from '../testing.ts';
import { queueMoves } from './queue-moves.ts';

const queues = ['idle', 'waits', 'given'];
let bus: Bus;
let asker: Bus;
beforeAll(async () => {
  const namespace = testNamespace();
  bus = await connectBus({ servers: natsUrl(), name: 'queue-moves', namespace });
  asker = await connectBus({ servers: natsUrl(), name: 'queue-moves-asker', namespace });
  await ensureTopology(bus, { ...testTopology, queues });
});
afterAll(async () => {
  await asker?.close();
  await bus?.close();
});

test('a queue goes on while somebody waits for its jobs, or has just been given one', async () => {
  const waits = new TestSource(bus, { queue: 'waits' });
  waits.source.pull('low-front', { batch: 1, expiresMs: 20_000 });
  const given = new TestSource(bus, { queue: 'given' });
  await publishJobs(bus, [toPublish(testJob({ queue: 'given' }))]);
  given.source.pull('normal', { batch: 1, expiresMs: 20_000 });
  // Nobody waits any more.
  await expect.poll(() => given.source.outstanding('normal')).toBe(0);
  expect(await queueMoves(asker, 'given')).toBe(true);
  await expect.poll(() => queueMoves(asker, 'waits'), { timeout: 10_000 }).toBe(true);
  await expect.poll(() => queueMoves(asker, 'idle'), { timeout: 10_000 }).toBe(false);
  await expect.poll(() => queueMoves(asker, 'nobody_made_it'), { timeout: 10_000 }).toBe(false);
});

test('what the server does not say soon counts as going on until it has said it; of its own pulls nobody is asked', async () => {
  const nats = await startOwnNats();
  onTestFinished(() => nats.stop());
  const own = await connectBus({ servers: nats.url, name: 'queue-moves-own', namespace: testNamespace() });
  onTestFinished(() => own.close());
  await ensureTopology(own, { ...testTopology, queues });
  const waits = new TestSource(own, { queue: 'waits' });
  waits.source.pull('normal', { batch: 1, expiresMs: 20_000 });
  nats.freeze();
  const began = performance.now();
  const first = queueMoves(own, 'idle').then(() => 'asked');
  const known = queueMoves(own, 'waits').then((moves) => (moves ? 'known' : 'not'));
  expect(await Promise.race([first, known])).toBe('known');
  expect(await queueMoves(own, 'idle')).toBe(true);
  // A call to JetStream may take 5 s.
  expect(performance.now() - began).toBeLessThan(3_000);
  nats.thaw();
  await expect.poll(() => queueMoves(own, 'idle'), { timeout: 10_000 }).toBe(false);
  // Nor is a source that is closed one of those that wait.
  await waits.source.close();
  nats.freeze();
  const late = queueMoves(own, 'given').then(() => 'asked');
  expect(await Promise.race([late, queueMoves(own, 'waits').then(() => 'asked too')])).toBe('asked');
  nats.thaw();
});
