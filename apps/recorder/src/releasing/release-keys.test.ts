import { concurrencyHash, factsOf, type JobEnvelope, NO_SETTINGS, project } from '@jetbeat/core';
import {
  changeSemaphore,
  findMessage,
  keySlots,
  type LeaseWatch,
  parkedSubject,
  parkJob,
} from '@jetbeat/jetstream';
import { insertJobs, recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  type RecorderBench,
  traceparent,
} from '../../../../test/support/recorder.ts';
import { releaseKeys } from './release-keys.ts';

/** A job that is parked for a key whose only slot a worker has. */
async function park({ bus, db }: RecorderBench, key: string): Promise<JobEnvelope> {
  const envelope = newJob({ policy: { concurrency: { key, limit: 1 } } });
  await insertJobs(db, [{ envelope, state: 'queued', totalLimitMs: 60_000, origin: 'api' }]);
  const parked = { ...envelope, parks: 1 };
  const hash = concurrencyHash(key);
  await parkJob(bus, { envelope: parked, what: { what: 'key', hash }, traceparent: traceparent() });
  const event = {
    ...factsOf(parked, undefined),
    kind: 'parked',
    what: 'key',
    key,
    limit: 1,
    taken: 1,
    at: Date.now(),
  } as const;
  await recordChanges(db, { changes: project([event]), workers: [], now: Date.now() });
  const holders = { other: { lease: `lease-of-${key}` } };
  const name = keySlots(hash);
  await changeSemaphore(bus, { name, decide: () => ({ next: { holders, waiting: true }, value: true }) });
  return parked;
}

/** Every lease is gone; of one it can never be told. */
const leases: LeaseWatch = {
  async gone(names) {
    if (names.includes('lease-of-b')) throw new Error('it is broken');
    return new Set(names);
  },
};

test('passes go round all keys, and a key that always fails is told of and holds up no other', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  const jobs = new Map<string, JobEnvelope>();
  for (const key of ['a', 'b', 'c', 'd']) jobs.set(key, await park(bench, key));
  await bench.start({ times: { keySlotsEveryMs: 60_000, releaseEveryMs: 60_000 } });
  const failed: string[] = [];
  const pass = (after: string) =>
    releaseKeys(
      {
        db,
        bus,
        events,
        leases,
        settings: NO_SETTINGS,
        waitedMs: -60_000,
        limit: 2,
        readToEndMs: 3_800,
        onError: (_, key) => failed.push(key),
      },
      after,
    );
  const isParked = async (key: string) => {
    const what = { what: 'key', hash: concurrencyHash(key) } as const;
    const subject = parkedSubject(bus, { queue: 'default', what, id: jobs.get(key)?.id ?? '' });
    return (await findMessage(bus, { subject })) !== undefined;
  };
  expect(await pass('')).toEqual({ released: 1, after: 'b' });
  expect(failed).toEqual(['b']);
  expect(await Promise.all(['a', 'b', 'c', 'd'].map(isParked))).toEqual([false, true, true, true]);
  expect(await pass('b')).toEqual({ released: 2, after: 'd' });
  expect(failed).toEqual(['b']);
  expect(await Promise.all(['a', 'b', 'c', 'd'].map(isParked))).toEqual([false, true, false, false]);
  expect(await pass('d')).toEqual({ released: 0, after: '' });
});

test('history that does not catch up keeps no pass from going on', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  for (const key of ['a', 'b']) await park(bench, key);
  const failed: string[] = [];
  const settings = NO_SETTINGS;
  const params = { db, bus, events, leases, settings, waitedMs: -60_000, limit: 1, readToEndMs: 200 };
  // Nobody records.
  const pass = await releaseKeys({ ...params, onError: (error) => failed.push(String(error)) }, '');
  expect(pass).toEqual({ released: 1, after: 'a' });
  expect(failed).toEqual([expect.stringContaining('history is 1 event batches behind')]);
});
