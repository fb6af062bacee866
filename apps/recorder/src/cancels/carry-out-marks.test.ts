import { beginCancel, databaseTime, getJob, insertJobs } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, ROW, workerEvent } from '../../../../test/support/recorder.ts';
import { carryOutPasses } from './carry-out.fixture.ts';

const others = { reconcileEveryMs: 60_000, releaseEveryMs: 60_000 };

test('more marks than a process remembers are put again in each pass, and all of them end', async () => {
  const bench = await createRecorderBench();
  const { db, events } = bench;
  const runAt = Date.now() + 600_000;
  const all = [newJob({ queue: 'silent', runAt }), newJob({ queue: 'silent', runAt })];
  await insertJobs(
    db,
    all.map((envelope) => ({ ...ROW, envelope, state: 'scheduled' as const })),
  );
  await events.publish(workerEvent('w2', { queues: ['silent'] }));
  for (const { id } of all) await beginCancel(db, { id, reason: 'enough', now: await databaseTime(db) });
  await bench.start({ times: { ...others, cancelsEveryMs: 60_000 } });
  const { pass, put, progress, forgetWorkers } = carryOutPasses(bench, {
    heldWaitMs: 100,
    limit: 2,
    maxTold: 1,
  });
  expect(await pass()).toMatchObject({ looked: 2, done: 0 });
  expect(await pass()).toMatchObject({ looked: 0, more: false });
  const [remembered] = progress.told;
  expect(progress.told.size).toBe(1);
  forgetWorkers();
  expect(await pass()).toMatchObject({ looked: 2, done: 2 });
  const often = (id: string) => put.filter((one) => one === id).length;
  expect(all.map(({ id }) => [id === remembered, often(id) > 1]).sort()).toEqual([
    [false, true],
    [true, false],
  ]);
  for (const { id } of all) expect((await getJob(db, id))?.state).toBe('cancelled');
  expect(await pass()).toMatchObject({ looked: 0 });
  expect(await pass()).toMatchObject({ looked: 0 });
  expect(progress.told.size).toBe(0);
});
