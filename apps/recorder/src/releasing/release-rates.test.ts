import { concurrencyHash, factsOf, type JobEnvelope, NO_SETTINGS, project } from '@jetbeat/core';
import { type LeaseWatch, parkedSubject, parkJob, removeParkedAt } from '@jetbeat/jetstream';
import { getJob, insertJobs, recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, type RecorderBench } from '../../../../test/support/recorder.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { lookUp } from '../reconciling/look-up.ts';
import { releaseRates } from './release-rates.ts';

const RATE = 'task mail.send';
const what = { what: 'rate', hash: concurrencyHash(RATE) } as const;
const leases: LeaseWatch = { gone: async () => new Set() };

async function park({ bus, db }: RecorderBench): Promise<JobEnvelope> {
  const envelope = newJob();
  await insertJobs(db, [{ envelope, state: 'queued', totalLimitMs: 60_000, origin: 'api' }]);
  const parked = { ...envelope, parks: 1 };
  await parkJob(bus, { envelope: parked, what });
  const event = {
    ...factsOf(parked, undefined),
    kind: 'parked' as const,
    what: 'rate' as const,
    rate: RATE,
    limit: 1,
    periodMs: 60_000,
    at: Date.now(),
  };
  await recordChanges(db, { changes: project([event]), workers: [], now: Date.now() });
  return parked;
}

test('the recorder lets jobs of a rate go whose workers are gone, and makes anew what JetStream has lost', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  await bench.start({ times: { keySlotsEveryMs: 60_000, releaseEveryMs: 60_000 } });
  const parked = await park(bench);
  expect(await lookUp(bus, parked)).toMatchObject({ parked: true });
  const errors: unknown[] = [];
  const pass = () =>
    releaseRates(
      {
        db,
        bus,
        events,
        leases,
        settings: NO_SETTINGS,
        waitedMs: -1_000,
        limit: 10,
        readToEndMs: 3_000,
        onError: (error) => errors.push(error),
      },
      '',
    );
  expect(await pass()).toEqual({ released: 1, after: '' });
  await waitUntil('it is queued', async () => (await getJob(db, parked.id))?.state === 'queued');

  const lost = await park(bench);
  expect(await removeParkedAt(bus, { queue: lost.queue, what, id: lost.id })).toBe(1);
  expect(await lookUp(bus, lost)).toMatchObject({ parked: false });
  expect(await pass()).toEqual({ released: 1, after: '' });
  await waitUntil('it is queued', async () => (await getJob(db, lost.id))?.state === 'queued');
  expect(parkedSubject(bus, { queue: 'default', what, id: lost.id })).toContain('rate:');
  expect(errors).toEqual([]);
}, 30_000);

test('all lost jobs of a rate are made anew in one pass, and history that does not catch up keeps none from going on', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  const lost = [await park(bench), await park(bench), await park(bench)];
  for (const { id, queue } of lost) expect(await removeParkedAt(bus, { queue, what, id })).toBe(1);
  const errors: string[] = [];
  const pass = (readToEndMs: number) =>
    releaseRates(
      {
        db,
        bus,
        events,
        leases,
        settings: NO_SETTINGS,
        waitedMs: -1_000,
        limit: 1,
        readToEndMs,
        onError: (error, rate) => errors.push(`${rate}: ${error}`),
      },
      '',
    );
  // Something that nobody has recorded.
  await events.publish({ kind: 'released', ...factsOf(newJob(), undefined), at: Date.now() });
  expect(await pass(200)).toEqual({ released: 0, after: RATE });
  expect(errors).toEqual([expect.stringContaining(`${RATE}: `)]);
  await bench.start({ times: { keySlotsEveryMs: 60_000, releaseEveryMs: 60_000 } });
  expect(await pass(3_000)).toEqual({ released: 3, after: RATE });
  expect(errors).toHaveLength(1);
}, 30_000);
