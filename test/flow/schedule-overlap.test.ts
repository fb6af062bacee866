import type { ScheduleSpec } from '@jetbeat/core';
import { jobsStreamState } from '@jetbeat/jetstream';
import { databaseTime, editSchedule, getJob } from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { defineTask } from '@jetbeat/task';
import { start as startWorker } from '@jetbeat/worker';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl } from '../support/nats.ts';
import { makeSchedule } from '../support/scheduler.ts';
import { benchOfEachTest, is } from '../support/scheduler-bench.ts';
import { waitUntil } from '../support/wait-until.ts';

const own = benchOfEachTest();
const { schedule, rows, end } = own;
/** Of what comes late nothing is missed, on a machine that has other things to do for a moment. */
const catchUp = { all: 100 };

test('one that waits runs when the job before it has ended, and by what the schedule says then', async () => {
  await (await own.bench.start()).ready();
  await schedule();
  const now = await databaseTime(own.bench.db);
  const { id, name } = await makeSchedule(
    own.bench.db,
    { when: { every: 1_000 }, overlap: 'buffer-one', catchUp },
    { now },
  );
  const [first, second] = await rows(id, 'one waits and one is left out', (found) =>
    ['dispatched', 'buffered', 'skipped'].every((state, index) => found[index]?.state === state),
  );
  expect(second?.reason?.text).toMatch(new RegExp(`^waits: job ${first?.jobId} still`));
  const edit = ({ definition }: { definition: ScheduleSpec }) => ({
    ...definition,
    job: { ...definition.job, input: { a: 2 } },
  });
  expect(await editSchedule(own.bench.db, { name, edit })).toMatchObject({ version: 2 });
  await end(first);
  const [, after] = await rows(id, 'the one that waited runs', (found) => found[1]?.state === 'dispatched');
  expect(await getJob(own.bench.db, first?.jobId ?? '')).toMatchObject({ input: { a: 1 } });
  expect(await getJob(own.bench.db, after?.jobId ?? '')).toMatchObject({ input: { a: 2 } });
});

test('with cancel-previous the job before it is taken back, and the next one runs', async () => {
  await (await own.bench.start()).ready();
  await schedule();
  const now = await databaseTime(own.bench.db);
  const { id } = await makeSchedule(
    own.bench.db,
    { when: { every: 2_000 }, overlap: 'cancel-previous', catchUp },
    { now },
  );
  const [first] = await rows(id, 'two have run', (found) => found.filter(is('dispatched')).length >= 2);
  const job = await waitUntil('history says so', async () => {
    const found = await getJob(own.bench.db, first?.jobId ?? '');
    return found?.state === 'cancelled' && found;
  });
  expect(job.reason).toMatchObject({ text: 'the next run of its schedule takes its place' });
  // No worker has begun any of them: what was cancelled is no message any more.
  await waitUntil(
    'only the last one is left',
    async () => (await jobsStreamState(own.bench.bus)).messages <= 1,
  );
});

test('with cancel-previous a job that runs is stopped, and the next one begins when it has ended', async () => {
  const begun: string[] = [];
  const over = Promise.withResolvers<void>();
  const env = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_NAMESPACE: own.bench.namespace,
    JETBEAT_STORAGE_EVENTS: '32MiB',
  };
  const runsOn = defineTask({
    name: 'test.runs-on',
    run: (_, { job, signal }) =>
      new Promise<null>((resolve, reject) => {
        begun.push(job.id);
        signal.addEventListener('abort', () => reject(signal.reason));
        void over.promise.then(() => resolve(null));
      }),
  });
  const worker = await startWorker({
    config: { ...loadConfig({ env, app: 'worker' }), healthPort: 0 },
    log: createLog({ app: 'worker', level: 'fatal' }),
    tasks: [runsOn],
  });
  onTestFinished(() => {
    over.resolve();
    return worker.stop();
  });
  await (await own.bench.start()).ready();
  await schedule();
  const now = await databaseTime(own.bench.db);
  const job = { task: 'test.runs-on', input: null };
  const spec = { when: { every: 3_000 }, overlap: 'cancel-previous', catchUp, job } as const;
  const { id } = await makeSchedule(own.bench.db, spec, { now });
  const some = await rows(id, 'two have run', (found) => found.filter(is('dispatched')).length >= 2);
  // One that waited for longer than a period has given way to the next.
  const [first, second] = some.filter(is('dispatched'));
  await waitUntil('both have begun', () => begun.length >= 2);
  expect(begun.slice(0, 2)).toEqual([first?.jobId, second?.jobId]);
  expect(await getJob(own.bench.db, begun[0] ?? '')).toMatchObject({
    state: 'cancelled',
    attempts: [{ outcome: 'cancelled' }],
    reason: { text: 'the next run of its schedule takes its place' },
  });
});
