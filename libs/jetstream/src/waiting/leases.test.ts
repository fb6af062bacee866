import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { silentLog } from '../connection/log.ts';
import { ensureTopology } from '../streams/topology.ts';
import { createLeaseWatch, leaseTtlMs, takeLease } from './leases.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), namespace: testNamespace(), name: 'test', log: silentLog });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(() => bus.close());

test('a lease that was taken anew is not renewed under its old name, and what the old one held is free', async () => {
  const leases = createLeaseWatch(bus, { ttlMs: leaseTtlMs(testTopology.ackWaitMs) });
  const first = await takeLease(bus, 'w1');
  expect(await first.renew()).toBe(true);
  expect(await leases.gone([first.name])).toEqual(new Set());
  const second = await takeLease(bus, 'w1');
  expect(second.name).not.toBe(first.name);
  expect(await first.renew()).toBe(false);
  expect(await second.renew()).toBe(true);
  expect(await leases.gone([first.name, second.name])).toEqual(new Set([first.name]));
});

test('a lease that is gone is taken up again by whoever renews it, and counts as gone only when it was missed for long', async () => {
  const ttlMs = 30;
  const leases = createLeaseWatch(bus, { ttlMs });
  const lease = await takeLease(bus, 'w2');
  await lease.end();
  expect(await leases.gone([lease.name])).toEqual(new Set());
  await expect.poll(() => leases.gone([lease.name])).toEqual(new Set([lease.name]));
  expect(await lease.renew()).toBe(true);
  expect(await leases.gone([lease.name])).toEqual(new Set());
});
