import { findMessage, jobsStreamState, type publishJobs } from '@jetbeat/jetstream';
import { databaseTime, getJob, getSchedule, type OccurrenceRecord, pauseSchedule } from '@jetbeat/postgres';
import type { Scheduler } from '@jetbeat/scheduler';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createRecorderBench, type RecorderBench, settledEvent } from '../support/recorder.ts';
import { makeSchedule, occurrencesOf, startScheduler } from '../support/scheduler.ts';
import { waitUntil } from '../support/wait-until.ts';

let database: TestDatabase;
let bench: RecorderBench;
let schedulers: Scheduler[];

beforeEach(async () => {
  database = await createTestDatabase();
  bench = await createRecorderBench({ database: database.url });
  schedulers = [];
});

afterEach(async () => {
  await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
  await bench.stop();
  await database.drop();
});

async function schedule(options: Partial<Parameters<typeof startScheduler>[0]> = {}): Promise<Scheduler> {
  const scheduler = await startScheduler({
    namespace: bench.namespace,
    databaseUrl: database.url,
    ...options,
  });
  schedulers.push(scheduler);
  return scheduler;
}

/** Waits until the schedule has so many occurrences that are decided. */
function decided(id: string, count: number): Promise<OccurrenceRecord[]> {
  return waitUntil(`${count} decided occurrences`, async () => {
    const found = (await occurrencesOf(bench.db, id)).filter(({ state }) => state !== 'due');
    return found.length >= count && found;
  });
}

test('two schedulers fire every nominal time once, on time, as one message each', async () => {
  const begun = performance.now();
  await Promise.all((await Promise.all([schedule(), schedule()])).map((scheduler) => scheduler.ready()));
  expect(performance.now() - begun).toBeLessThan(5_000);
  const now = await databaseTime(bench.db);
  const { id, createdAt } = await makeSchedule(
    bench.db,
    { when: { every: 1_000 }, overlap: 'allow', catchUp: { all: 100 } },
    { now },
  );
  const occurrences = (await decided(id, 5)).slice(0, 5);
  expect(occurrences.map(({ nominalTime }) => nominalTime)).toEqual(
    [1, 2, 3, 4, 5].map((index) => createdAt + index * 1_000),
  );
  for (const { state, jobId = '', latenessMs, nominalTime } of occurrences) {
    expect(state).toBe('dispatched');
    // As late as one may be and still be on time, since the machine may have other things to do for a moment.
    expect(latenessMs).toBeLessThan(5_000);
    const job = await waitUntil('the job is published', async () => {
      const found = await getJob(bench.db, jobId);
      return found?.published && found;
    });
    expect(job).toMatchObject({ state: 'queued', runAt: nominalTime, origin: 'plan', input: { a: 1 } });
    const message = await findMessage(bench.bus, { seq: job.seq ?? 0 });
    expect(message?.envelope).toMatchObject({ id: jobId, schedule: { id, nominalTime, origin: 'plan' } });
  }
  const middle = occurrences.map(({ latenessMs = 0 }) => latenessMs).toSorted((a, b) => a - b)[2];
  expect(middle).toBeLessThan(1_000);
  await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
  const all = (await occurrencesOf(bench.db, id)).filter(({ state }) => state === 'dispatched');
  expect((await jobsStreamState(bench.bus)).messages).toBe(all.length);
});

test('after an outage each catch-up rule decides about what passed meanwhile', async () => {
  const now = await databaseTime(bench.db);
  // Six times have passed, the last one 7 s ago: too late to be on time (5 s). The next one is not before the scheduler is there.
  const away = { now, agoMs: 367_000 };
  const when = { every: 60_000 };
  const make = (spec: Parameters<typeof makeSchedule>[1]) => makeSchedule(bench.db, spec, away);
  const latest = await make({ when, catchUp: 'latest', catchUpWindow: 3_600_000 });
  const byDefault = await make({ when });
  const none = await make({ when, catchUp: 'none' });
  const some = await make({ when, catchUp: { all: 3 }, overlap: 'allow' });
  await (await schedule()).ready();

  const first = latest.createdAt + 60_000;
  const outcome = async (id: string, count: number) =>
    (await decided(id, count))
      .filter(({ nominalTime }) => nominalTime <= now)
      .map(({ nominalTime, state, reason, count, to }) => [
        (nominalTime - first) / 60_000,
        ...(to === undefined ? [] : [(to - first) / 60_000]),
        state,
        count,
        ...(reason ? [reason.code] : []),
      ]);
  expect(await outcome(latest.id, 2)).toEqual([
    [0, 4, 'missed', 5, 'catch_up_latest'],
    [5, 'dispatched', 1, 'caught_up'],
  ]);
  expect(await outcome(byDefault.id, 2)).toEqual([
    [0, 4, 'missed', 5, 'catch_up_window'],
    [5, 'dispatched', 1, 'caught_up'],
  ]);
  expect(await outcome(none.id, 1)).toEqual([[0, 5, 'missed', 6, 'catch_up_none']]);
  expect(await outcome(some.id, 4)).toEqual([
    [0, 2, 'missed', 3, 'catch_up_limit'],
    [3, 'dispatched', 1, 'caught_up'],
    [4, 'dispatched', 1, 'caught_up'],
    [5, 'dispatched', 1, 'caught_up'],
  ]);
});

test('with overlap "skip" nothing fires while a job is open, and again when it has ended', async () => {
  await (await bench.start()).ready();
  await (await schedule()).ready();
  const now = await databaseTime(bench.db);
  // Whatever comes late runs all the same.
  const spec = { when: { every: 1_000 }, catchUp: { all: 100 } };
  const { id } = await makeSchedule(bench.db, spec, { now });
  const [first, second] = await decided(id, 2);
  expect(first).toMatchObject({ state: 'dispatched' });
  expect(second).toMatchObject({ state: 'skipped', reason: { code: 'overlap' } });

  const job = await getJob(bench.db, first?.jobId ?? '');
  if (!job) throw new Error('the first job has no row');
  await bench.events.publish(settledEvent({ ...job, v: 1, input: { a: 1 } }));
  const again = await waitUntil('it fires again', async () =>
    (await occurrencesOf(bench.db, id)).slice(1).find(({ state }) => state === 'dispatched'),
  );
  expect(again.nominalTime).toBeGreaterThan(first?.nominalTime ?? 0);
});

test('what falls into a pause is written down while it lasts, and a pause with an end goes on by itself', async () => {
  await (await schedule()).ready();
  const created = await databaseTime(bench.db);
  const { id, name } = await makeSchedule(
    bench.db,
    { when: { every: 1_000 }, overlap: 'allow' },
    { now: created },
  );
  await decided(id, 1);
  const now = await databaseTime(bench.db);
  await pauseSchedule(bench.db, { name, by: 'ann', note: 'maintenance', until: now + 3_500, now });
  const rows = await waitUntil('it goes on by itself', async () => {
    const found = await occurrencesOf(bench.db, id);
    return found.at(-1)?.state === 'dispatched' && found.some(({ state }) => state === 'skipped') && found;
  });
  const [passed, ...others] = rows.filter(({ state }) => state === 'skipped');
  expect(others).toEqual([]);
  expect(passed).toMatchObject({ reason: { code: 'paused', text: 'paused by ann: maintenance' } });
  expect(passed?.count).toBeGreaterThanOrEqual(3);
  // Not one of its times is without a row, and none has two.
  const times = rows.flatMap(({ nominalTime, count }) =>
    Array.from({ length: count }, (_, index) => nominalTime + index * 1_000),
  );
  expect(times).toEqual(times.map((_, index) => created + (index + 1) * 1_000));
  expect((await getSchedule(bench.db, name))?.paused).toBeUndefined();
});

test('a time that is caught up too late for its job is skipped, and says so', async () => {
  const now = await databaseTime(bench.db);
  const job = { task: 'system.echo', input: 1, expires: 5_000 };
  const spec = { when: { every: 60_000 }, catchUpWindow: 3_600_000, job };
  const late = await makeSchedule(bench.db, spec, { now, agoMs: 90_000 });
  const intime = await makeSchedule(
    bench.db,
    { ...spec, job: { ...job, expires: 60_000 } },
    { now, agoMs: 90_000 },
  );
  await schedule();
  expect((await decided(late.id, 1))[0]).toMatchObject({ state: 'skipped', reason: { code: 'expired' } });
  const [made] = await decided(intime.id, 1);
  expect(made).toMatchObject({ state: 'dispatched' });
  const row = await getJob(bench.db, made?.jobId ?? '');
  expect(row?.expiresAt).toBe((made?.nominalTime ?? 0) + 60_000);
});

test('a scheduler whose clock is wrong plans nothing and says so', async () => {
  const now = await databaseTime(bench.db);
  const { id } = await makeSchedule(bench.db, { when: { every: 1_000 } }, { now, agoMs: 1_000 });
  const wrong = await schedule({ clock: () => Date.now() - 10_000 });
  const check = await waitUntil('it says so', () =>
    wrong
      .checks()
      .find(
        ({ name, ok, detail }) => name === 'schedule' && !ok && /clock is 10\.\d s behind/.test(detail ?? ''),
      ),
  );
  expect(check.ok).toBe(false);
  const answer = await fetch(`${wrong.healthUrl}/readyz`);
  expect(answer.status).toBe(503);
  expect(await occurrencesOf(bench.db, id)).toEqual([]);
});

test('what is committed and not published is published by the recorder', async () => {
  const now = await databaseTime(bench.db);
  let lost = 0;
  const publish: typeof publishJobs = (_bus, items) => {
    lost += items.length;
    return Promise.reject(new Error('the scheduler ends here'));
  };
  await (await schedule({ publish })).ready();
  const { id } = await makeSchedule(bench.db, { when: { at: now } }, { now, agoMs: 1 });
  const [only] = await decided(id, 1);
  await waitUntil('the publish was tried', () => lost === 1);
  expect(await getJob(bench.db, only?.jobId ?? '')).toMatchObject({ published: false });
  await (await bench.start({ times: { unpublishedAfterMs: 200, reconcileEveryMs: 100 } })).ready();
  await waitUntil('the job is in JOBS', async () => (await jobsStreamState(bench.bus)).messages === 1);
});
