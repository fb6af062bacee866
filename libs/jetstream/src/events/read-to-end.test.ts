import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnNats, startOwnNats, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { ensureTopology } from '../streams/topology.ts';
import { readToEnd } from './read-to-end.ts';

let nats: OwnNats;
let bus: Bus;

beforeEach(async () => {
  nats = await startOwnNats();
  bus = await connectBus({ servers: nats.url, name: 'test' });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
});
afterEach(async () => {
  nats?.thaw();
  await bus?.close();
  await nats?.stop();
});

test('a server that says nothing is waited for no longer than asked', async () => {
  await readToEnd({ bus, timeoutMs: 10_000 });
  nats.freeze();
  const begun = performance.now();
  await expect(readToEnd({ bus, timeoutMs: 200 })).rejects.toMatchObject({
    code: 'history_behind',
    message: 'NATS has not told within 200 ms how far history is; is it reachable?',
  });
  const tookMs = performance.now() - begun;
  // Two calls of the bus have 5 s each.
  expect(tookMs).toBeGreaterThan(150);
  expect(tookMs).toBeLessThan(4_000);
  nats.thaw();
  await readToEnd({ bus, timeoutMs: 10_000 });
});
