import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob } from '../publishing/publish-one.ts';
import { jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { testJob, toPublish } from '../testing.ts';
import { type WaitingPage, type WaitingPlace, waitingJobs } from './waiting-jobs.ts';

let bus: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
});
afterAll(() => bus?.close());

async function pages(place: WaitingPlace, upTo: number): Promise<WaitingPage[]> {
  const found: WaitingPage[] = [];
  for (let from: number | undefined = 1; from !== undefined; from = found.at(-1)?.next)
    found.push(await waitingJobs(bus, { place, from, upTo }));
  return found;
}

test('waiting jobs come in pages that are bounded by number and by bytes, each once', async () => {
  expect(await pages('timers', 0)).toEqual([{ ids: [] }]);
  expect(await pages('timers', 10)).toEqual([{ ids: [] }]);
  const at = Date.now() + 600_000;
  const small = Array.from({ length: 2_300 }, () => toPublish({}, { at }));
  const large = Array.from({ length: 12 }, () => toPublish({ input: 'x'.repeat(900_000) }, { at }));
  await publishJobs(bus, [...small, toPublish(), ...large]);
  const parked = Array.from({ length: 3 }, () => testJob());
  for (const envelope of parked)
    await parkJob(bus, { envelope, what: { what: 'doubt' }, traceparent: undefined });
  const { lastSeq } = await jobsStreamState(bus);

  const timers = await pages('timers', lastSeq);
  expect(timers.flatMap(({ ids }) => ids).sort()).toEqual(
    [...small, ...large].map(({ envelope }) => envelope.id).sort(),
  );
  expect(timers.length).toBeGreaterThan(4);
  for (const { ids } of timers) expect(ids.length).toBeLessThanOrEqual(1_000);
  for (const { ids } of timers.slice(-2)) expect(ids.length).toBeLessThan(6);
  expect((await pages('parked', lastSeq)).flatMap(({ ids }) => ids)).toEqual(parked.map(({ id }) => id));
  expect((await pages('parked', lastSeq - 1)).flatMap(({ ids }) => ids)).toHaveLength(2);
});

test('a closed connection is an error, not an empty page', async () => {
  const own = await connectBus({ servers: natsUrl(), name: 'test', namespace: bus.namespace });
  await own.close();
  await expect(waitingJobs(own, { place: 'timers', from: 1, upTo: 9 })).rejects.toMatchObject({
    code: 'jetstream_call_failed',
  });
});
