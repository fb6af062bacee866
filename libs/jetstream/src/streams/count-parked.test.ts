import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob } from '../publishing/publish-one.ts';
import { testJob, toPublish } from '../testing.ts';
import { countParked } from './count-parked.ts';
import { jobsStreamState } from './stream-state.ts';
import { ensureTopology } from './topology.ts';

let bus: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
});
afterAll(() => bus?.close());

const MOST = 12;

async function seen(): Promise<{ rest: number; lastSeq: number }> {
  const { messages, lastSeq } = await jobsStreamState(bus);
  return { rest: messages, lastSeq };
}

async function addTimers(timers: number): Promise<void> {
  const at = Date.now() + 600_000;
  const results = await publishJobs(
    bus,
    Array.from({ length: timers }, () => toPublish({}, { at })),
  );
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
}

async function park(jobs: number): Promise<void> {
  for (let job = 0; job < jobs; job++) await parkJob(bus, { envelope: testJob(), what: { what: 'doubt' } });
}

test('few parked jobs are counted among however many timers; more than are allowed are not', async () => {
  const count = countParked(bus, { most: MOST });
  await addTimers(2 * MOST);
  expect(await count(await seen())).toBe(0);
  await addTimers(2 * MOST);
  await park(3);
  await addTimers(2 * MOST);
  expect(await count(await seen())).toBe(3);
  expect(await countParked(bus, { most: MOST })(await seen())).toBe(3);
  await park(MOST - 2);
  await addTimers(2 * MOST);
  expect(await count(await seen())).toBeUndefined();
  expect(await countParked(bus, { most: 2 * MOST })({ rest: MOST + 1, lastSeq: 1_000 })).toBe(MOST + 1);
  // What was counted in another stream of that name bounds nothing.
  const anew = countParked(bus, { most: MOST });
  expect(await anew({ rest: 1, lastSeq: 1_000_000 })).toBe(MOST + 1);
  expect(await anew(await seen())).toBeUndefined();
});
