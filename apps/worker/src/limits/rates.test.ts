import type { JobRate } from '@jetbeat/core';
import type { Bus, Delivery, EventPublisher } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { afterEach, expect, test, vi } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { instant } from '../ends/own-retries.ts';
import { Held } from '../held.ts';
import { createRates } from './rates.ts';

afterEach(() => void vi.useRealTimers());

test('what cannot begin here is left to others, and nothing is kept of its rate', async () => {
  vi.useFakeTimers();
  const rates = createRates({
    bus: {} as Bus,
    events: {} as EventPublisher,
    leases: { gone: async () => new Set<string>() },
    limits: { keyed: (job) => job, known: () => undefined, rates: () => new Set<string>() },
    // All handlers run.
    free: () => 0,
    now: Date.now,
    log: { warn() {} } as unknown as Log,
  });
  const claims = Array.from({ length: 20 }, (_, index) => {
    const rate: JobRate = { name: `task ${index}`, hash: `hash-${index}`, limit: 1, periodMs: 1_000 };
    const delivery = { seq: index + 1 } as Delivery;
    const held = new Held({ job: newJob(), delivery, since: instant(), suspect: false, traced: false });
    return rates.claim(held, rate, true);
  });
  expect(rates.asked).toBe(20);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await Promise.all(claims)).toEqual(claims.map(() => ({ kind: 'closed' })));
  expect(rates.asked).toBe(0);
  rates.close();
  await rates.stop();
});
