import { tmpdir } from 'node:os';
import { readSettings } from '@jetbeat/core';
import {
  askRuns,
  type Database,
  databaseTime,
  dispatchPass,
  getSchedule,
  listOccurrences,
  look,
  MAX_PASS_BYTES,
  materializePass,
  type NewJob,
  openDatabase,
} from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openHistory } from '../../../test/bench/history.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { makeSchedule } from '../../../test/support/scheduler.ts';
import { createPass, type PassParams } from './pass.ts';

let made: TestDatabase;
let db: Database;
let now: number;
let published: NewJob[];
beforeEach(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'pass-test' });
  now = Math.floor((await databaseTime(db)) / 1_000) * 1_000;
  published = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await db?.close();
  await made?.drop();
});

/** Looks into PostgreSQL, where it is as late as the test says. */
const looks: typeof look = async (given) => ({ ...(await look(given)), now });

function pass(options: Partial<PassParams> = {}) {
  const config = loadConfig({ env: {}, app: 'scheduler', cwd: tmpdir() });
  return createPass({
    db,
    id: 'one',
    clock: () => now,
    hold: () => undefined,
    cancel: () => {},
    ports: { look: looks, materializePass, dispatchPass },
    eventsMarks: async () => ({ lastSeq: 0, recordedUpTo: 0 }),
    publisher: { add: (jobs: readonly NewJob[]) => void published.push(...jobs), waitingBytes: 0 },
    log: createLog({ app: 'scheduler', level: 'fatal' }),
    settings: readSettings(config.settings, config.file),
    ...options,
  });
}

const states = async (scheduleId: string) =>
  (await listOccurrences(db, { scheduleId, limit: 100 })).map(({ state }) => state);

test('a job that PostgreSQL refuses holds up no other, and is the problem of its schedule', async () => {
  const every = { when: { every: 1_000 }, overlap: 'allow' } as const;
  const others: string[] = [];
  for (let index = 0; index < 10; index++)
    others.push((await makeSchedule(db, every, { now, agoMs: 1_000 })).id);
  const bad = await makeSchedule(db, { ...every, job: { task: 'bad', input: null } }, { now, agoMs: 1_000 });
  for (let index = 0; index < 10; index++)
    others.push((await makeSchedule(db, every, { now, agoMs: 1_000 })).id);
  const spoilt = (job: NewJob) =>
    job.envelope.schedule?.id === bad.id ? { ...job, totalLimitMs: 9e18 } : job;
  const refusing: typeof dispatchPass = (given, params) =>
    dispatchPass(given, {
      ...params,
      decide(due) {
        const decision = params.decide(due);
        return decision.do === 'dispatch' ? { ...decision, job: spoilt(decision.job) } : decision;
      },
    });
  const refusingToo: typeof materializePass = (given, params) =>
    materializePass(given, {
      ...params,
      fire(due) {
        const job = params.fire?.(due);
        return job && spoilt(job);
      },
    });
  const once = pass({ ports: { look: looks, materializePass: refusingToo, dispatchPass: refusing } });
  // What is before it and behind it comes in passes of its own.
  for (let index = 0; index < 5; index++) await once();
  for (const id of others) expect(await states(id)).toEqual(['dispatched']);
  expect(published).toHaveLength(others.length);
  expect(await states(bad.id)).toEqual(['due']);
  expect((await getSchedule(db, bad.name))?.problem).toMatch(/^no job can be stored of it: /);
});

test('tries without an end in plain SQL end in a problem, not in a pass without an end', async () => {
  const job = { task: 'a', input: null, retry: { attempts: 1e12 } };
  const { name } = await makeSchedule(db, { when: { every: 1_000 }, job }, { now, agoMs: 1_000 });
  await pass()();
  expect((await getSchedule(db, name))?.problem).toMatch(/^\/job\/retry\/attempts: /);
});

test('runs that may overlap wait neither for history nor for the beat', async () => {
  const once = pass({ eventsMarks: () => new Promise(() => {}) });
  await once();
  await makeSchedule(db, { when: { every: 1_000 }, overlap: 'allow' }, { now });
  const history = openHistory(made.url);
  // The beat ends when there is a job, and fails when there is none for long.
  await history.rows(`create function await_job() returns trigger language plpgsql as $$
    begin
      for turn in 1..300 loop
        if exists (select from job) then return new; end if;
        perform pg_sleep(0.01);
      end loop;
      raise exception 'the beat was waited for';
    end $$`);
  await history.rows(
    'create trigger await_job before update on scheduler_beat for each row execute function await_job()',
  );
  await history.close();
  now += 1_000;
  // No timer goes off: whoever waited for history would wait for ever.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(await once()).toMatchObject({ due: 1, dispatched: 1 });
});

test('a backfill of thousands leaves room for a pass at a new time', async () => {
  const { name } = await makeSchedule(db, { when: { every: 1_000 }, overlap: 'allow' }, { now });
  const runs = Array.from({ length: 1_200 }, (_, index) => ({
    nominalTime: now - 10_000_000 + index * 1_000,
    dispatchAt: now - 10_000,
  }));
  await askRuns(db, { name, plan: () => ({ origin: 'backfill:1', overlap: 'allow' as const, runs }) });
  const times = vi.fn(looks);
  const once = pass({ ports: { look: times, materializePass, dispatchPass } });
  const counts = [];
  for (let index = 0; index < 4; index++) counts.push(await once());
  expect(counts.map(({ dispatched }) => dispatched)).toEqual([500, 500, 200, 0]);
  expect(counts.map(({ nextInMs }) => nextInMs === 0)).toEqual([true, true, true, false]);
  expect(times).toHaveBeenCalledTimes(4);
});

test('where all that comes due is fired with its plan nothing else is asked, whatever the rule', async () => {
  await makeSchedule(db, { when: { every: 1_000 }, overlap: 'allow' }, { now });
  await makeSchedule(db, { when: { every: 1_000 }, overlap: 'skip' }, { now });
  const dispatching = vi.fn(dispatchPass);
  const eventsMarks = vi.fn(async () => ({ lastSeq: 0, recordedUpTo: 0 }));
  const once = pass({ eventsMarks, ports: { look: looks, materializePass, dispatchPass: dispatching } });
  now += 1_000;
  expect(await once()).toMatchObject({ due: 2, dispatched: 2, nextInMs: 0 });
  expect(published).toHaveLength(2);
  expect([dispatching, eventsMarks].map((asked) => asked.mock.calls.length)).toEqual([0, 0]);
  // The job of the second is open now.
  now += 1_000;
  expect(await once()).toMatchObject({ due: 2, dispatched: 1, skipped: 1 });
  expect([dispatching, eventsMarks].map((asked) => asked.mock.calls.length)).toEqual([1, 1]);
});

test('what was made with all the memory that there is for it is published before more is taken up', async () => {
  await makeSchedule(db, { when: { every: 1_000 }, overlap: 'allow' }, { now });
  const half = MAX_PASS_BYTES / 2;
  const budgets: unknown[] = [];
  /** Each job is as large as a third of what there is room for, and there seems to be more. */
  const large: typeof materializePass = async (given, params) => {
    budgets.push(params.budget);
    const done = await materializePass(given, params);
    return { ...done, more: true, fired: done.fired.map((job) => ({ ...job, bytes: half * 0.75 })) };
  };
  const publisher = {
    waitingBytes: 0,
    add(jobs: readonly NewJob[]) {
      published.push(...jobs);
      for (const { bytes = 0 } of jobs) this.waitingBytes += bytes;
    },
  };
  const once = pass({ publisher, ports: { look: looks, materializePass: large, dispatchPass } });
  now += 1_000;
  expect(await once()).toMatchObject({ dispatched: 1 });
  // All rounds, since there is room left.
  expect(budgets).toEqual([2 * half, ...Array.from({ length: 7 }, () => half * 1.25)]);
  budgets.length = 0;
  now += 1_000;
  expect(await once()).toMatchObject({ dispatched: 1 });
  expect(budgets).toEqual([half * 1.25]);
  now += 1_000;
  expect(await once()).toMatchObject({ occurrences: 0, dispatched: 0, nextInMs: 10 });
  publisher.waitingBytes = 0;
  expect(await once()).toMatchObject({ dispatched: 1 });
});
