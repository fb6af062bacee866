import { claimSlot, type Semaphore, type SlotClaim } from '@jetbeat/core';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { ensureTopology } from '../streams/topology.ts';
import { createLeaseWatch, leaseTtlMs, takeLease } from './leases.ts';
import { changeSemaphore, readSemaphore, type StoredSemaphore } from './semaphores.ts';

async function open(count = 1): Promise<Bus[]> {
  const namespace = testNamespace();
  const buses = await Promise.all(
    Array.from({ length: count }, () => connectBus({ servers: natsUrl(), name: 'test', namespace })),
  );
  for (const bus of buses) onTestFinished(() => bus.close());
  const [first] = buses;
  // Its lease time is 3 s.
  if (first) await ensureTopology(first, { ...testTopology, ackWaitMs: 5_000, queues: [] });
  return buses;
}

const claim = (bus: Bus, wanted: Partial<SlotClaim> & { job: string }, known?: StoredSemaphore) =>
  changeSemaphore(bus, {
    name: 'k',
    known,
    decide: (now: Semaphore) => {
      const answer = claimSlot(now, { lease: 'w.a', limit: 1, parks: 0, ...wanted }, Date.now());
      return answer.kind === 'elsewhere' ? { value: answer.kind } : { next: answer.next, value: answer.kind };
    },
  });
const leave = (bus: Bus, known?: StoredSemaphore) =>
  changeSemaphore(bus, { name: 'k', known, decide: () => ({ next: { holders: {} }, value: undefined }) });

test('of 40 that want the last slot at once, over four connections, one gets it', async () => {
  const buses = await open(4);
  const nobody = { semaphore: { holders: {} }, seq: 0 };
  const claims = buses.flatMap((bus, at) =>
    Array.from({ length: 10 }, (_, index) =>
      claim(bus, { job: `j${at}-${index}` }, index % 2 ? nobody : undefined),
    ),
  );
  const answers = (await Promise.all(claims)).map(({ value }) => value);
  expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
  const [bus] = buses;
  if (!bus) return;
  const { semaphore } = await readSemaphore(bus, 'k');
  expect(Object.keys(semaphore.holders)).toHaveLength(1);
  expect(semaphore.waiting).toBe(true);
}, 30_000);

test('what is free leaves nothing behind, and nobody frees what somebody else has taken since', async () => {
  const [bus] = await open();
  if (!bus) return;
  const { stored } = await claim(bus, { job: 'j1' });
  expect(stored.seq).toBeGreaterThan(0);
  expect((await leave(bus, stored)).stored).toEqual({ semaphore: { holders: {} }, seq: 0 });
  expect(await readSemaphore(bus, 'k')).toEqual({ semaphore: { holders: {} }, seq: 0 });

  const first = await claim(bus, { job: 'j1', limit: 2 });
  await claim(bus, { job: 'j2', limit: 2 });
  let tries = 0;
  await changeSemaphore(bus, {
    name: 'k',
    known: first.stored,
    decide({ holders: { j1: _gone, ...holders } }) {
      tries++;
      return { next: { holders }, value: undefined };
    },
  });
  expect(tries).toBe(2);
  expect((await readSemaphore(bus, 'k')).semaphore.holders).toEqual({ j2: { lease: 'w.a' } });
});

test('a lease lasts while it is renewed; one that is not there is missed twice before it counts as gone', async () => {
  const [bus] = await open();
  if (!bus) return;
  const ttlMs = leaseTtlMs(5_000);
  expect([ttlMs, leaseTtlMs(30_000), leaseTtlMs(60_000), leaseTtlMs(500)]).toEqual([
    3_000, 10_000, 10_000, 3_000,
  ]);
  const watch = createLeaseWatch(bus, { ttlMs });
  const kept = await takeLease(bus, 'kept');
  const left = await takeLease(bus, 'left');
  const both = [kept.name, left.name];
  const renewals = setInterval(() => void kept.renew(), ttlMs / 4);
  onTestFinished(() => clearInterval(renewals));
  expect(await watch.gone(both)).toEqual(new Set());
  const since = performance.now();
  await expect.poll(() => watch.gone(both), { timeout: 15_000, interval: 100 }).toEqual(new Set([left.name]));
  expect(performance.now() - since).toBeGreaterThan(1.2 * ttlMs);
  expect(await left.renew()).toBe(true);

  // Whoever took a new one holds nothing under the old one.
  const next = await takeLease(bus, 'kept');
  expect(await watch.gone([kept.name, next.name])).toEqual(new Set([kept.name]));
  expect(await kept.renew()).toBe(false);
  await next.end();
  expect(await next.renew()).toBe(true);
}, 30_000);
