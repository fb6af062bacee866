import { randomBytes } from 'node:crypto';
import { FIRST_POSITION, type JobEnvelope, project, uuidV7 } from '@jetbeat/core';
import { askRuns, databaseTime, dispatchPass, insertJobs, recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, startedEvent } from '../../../test/support/recorder.ts';
import { makeSchedule } from '../../../test/support/scheduler.ts';
import { cancelRuns } from './cancel-runs.ts';

test('every job that gives way is told, however many are slow before it, until it runs or is out', async () => {
  const { bus, db } = await createRecorderBench();
  const now = await databaseTime(db);
  const { id, name } = await makeSchedule(
    db,
    { when: { every: 3_600_000 }, overlap: 'cancel-previous' },
    { now },
  );
  const jobs = [0, 1, 2].map((index): JobEnvelope => {
    const place = { queue: 'default', priority: 'normal', input: null } as const;
    const schedule = { id, name, nominalTime: now + index, origin: 'plan' };
    const job = uuidV7(now + index, randomBytes(10));
    return { v: 1, id: job, task: 'a', ...place, createdAt: now, runAt: now, schedule, ...FIRST_POSITION };
  });
  const [first, , last] = jobs.map((job) => job.id);
  await insertJobs(
    db,
    jobs.map((envelope) => ({ envelope, state: 'queued', totalLimitMs: 600_000, origin: 'plan' })),
  );
  const runs = [{ nominalTime: now, dispatchAt: now }];
  await askRuns(db, { name, plan: () => ({ origin: 'trigger:1', runs, overlap: 'cancel-previous' }) });
  const reason = { code: 'overlap', text: 'one is open' };
  const decide = () => ({ do: 'buffer', reason, cancel: true }) as const;
  expect((await dispatchPass(db, { now, limit: 9, recordedUpTo: 0, decide })).cancelled).toHaveLength(3);

  const told = new Set<string>();
  const put: string[] = [];
  const cancelled = { put: async (job: string) => void put.push(job) };
  const pass = async () => {
    put.length = 0;
    await cancelRuns({ db, bus, cancelled, told, limit: 1 });
    return [...put];
  };
  // Nothing is in JetStream yet, where a worker may get it at any moment.
  const all = jobs.map((job) => job.id);
  expect(await pass()).toEqual(all);
  expect(await pass()).toEqual(all);

  const begun = jobs.slice(1, 2).map((job) => startedEvent(job));
  await recordChanges(db, { changes: project(begun), workers: [], now });
  expect(await pass()).toEqual(all);
  expect(await pass()).toEqual([first, last]);
  expect([...told]).toEqual([all[1]]);
});
