import { setImmediate as turn } from 'node:timers/promises';
import { JOB_STATES, matchesGlob, parseSearch } from '@jetbeat/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, newId } from '../database/sample.ts';
import { countByState, countJobs } from './count-jobs.ts';
import { allPages, COUNT, fillHistory, HOUR, type SampleOfHistory } from './history-sample.ts';
import { conditionsOf } from './job-filter.ts';
import { listJobs } from './list-jobs.ts';
import { scanJobs } from './scan-jobs.ts';

let made: TestDatabase;
let db: Database;
/** Newest first. */
let known: SampleOfHistory[];

beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'search-test' });
  known = await fillHistory(db);
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});

const idsOf = (fits: (job: SampleOfHistory) => boolean) => known.filter(fits).map(({ id }) => id);
const NOW = NOON + COUNT * HOUR;
/** However busy the machine is. */
const WHOLE = { rows: 10_000, ms: 10_000 };
const found = (search: string) => allPages(db, { terms: parseSearch(search), now: NOW });

test.each<[string, (job: SampleOfHistory) => boolean]>([
  ['state:dead,expired', ({ state }) => state === 'dead' || state === 'expired'],
  ['state:dead queue:q1', ({ state, queue }) => state === 'dead' && queue === 'q1'],
  ['task:mail.task3', ({ task }) => task === 'mail.task3'],
  ['task:mail.*3,*5', ({ task }) => task === 'mail.task3' || task === 'mail.task5'],
  ['queue:q*', () => true],
  ['queue:Q1', () => false],
  ['TASK4', ({ task }) => task === 'mail.task4'],
  ['mail task4 state:queued', ({ task, state }) => task === 'mail.task4' && state === 'queued'],
  ['input.user.id:42', ({ user }) => user === 42],
  ['input.user.id:4*', ({ user }) => String(user).startsWith('4')],
  ['input.user.tags.1:tag7,tag8', ({ user }) => user === 7 || user === 8],
  ['input.user.none:null queue:q2', ({ queue }) => queue === 'q2'],
  ['input.user.missing:null', () => false],
  ['meta.app.tenant:t4', ({ tenant }) => tenant === 't4'],
  ['error:timeout', ({ message }) => message === 'Request TIMEOUT'],
  ['error:request*out', ({ message }) => message === 'Request TIMEOUT'],
  ['error:"100%_\\\\"', ({ message }) => message?.startsWith('no') ?? false],
  ['error:%', ({ message }) => message?.includes('%') ?? false],
  ['reason:reject*', ({ message }) => message !== undefined],
  ['schedule:any', () => false],
])('%s', async (search, fits) => {
  expect(await found(search)).toEqual(idsOf(fits));
});

test('ids are found whole, by their begin, and among other things', async () => {
  const { id = '' } = known[5] ?? {};
  const begin = id.slice(0, 13);
  expect(await found(id)).toEqual([id]);
  expect(await found(`id:${id},${newId()}`)).toEqual([id]);
  expect(await found(`${id} state:${known[5]?.state}`)).toEqual([id]);
  expect(await found(begin)).toEqual(idsOf((job) => job.id.startsWith(begin)));
});

test('jobs are found by the workers that have begun them, also where another one has ended them', async () => {
  const of = known.map(({ id }, n) => ({
    id,
    workers: n % 9 === 0 ? ['w1', 'w2'] : n % 3 === 0 ? ['w2'] : [],
  }));
  const rows = of.flatMap(({ id, workers }) =>
    workers.map((worker, run) => ({ id, worker, run, by: newId() })),
  );
  await inside(db).run(
    `insert into attempt (job_id, run_id, number, run, worker_id, started_at)
     select x.id, x.by, 1, x.run, x.worker, now() from json_to_recordset($1) as x(id uuid, by uuid, run integer, worker text)`,
    [JSON.stringify(rows)],
  );
  const begunBy = (...names: string[]) =>
    of.flatMap(({ id, workers }) => (names.every((name) => workers.includes(name)) ? [id] : []));
  expect(await found('worker:w1')).toEqual(begunBy('w1'));
  expect(await found('worker:w2 worker:w*1')).toEqual(begunBy('w1'));
  expect(await found('worker:w1,w2')).toEqual(begunBy('w2'));
  expect(await found('worker:w')).toEqual([]);
  const queue = (id: string) => known.find((job) => job.id === id)?.queue;
  expect(await found('worker:w2 queue:q1')).toEqual(begunBy('w2').filter((id) => queue(id) === 'q1'));
  const { value } = await countJobs(db, { terms: parseSearch('worker:w2') });
  expect(value).toBe(begunBy('w2').length);
});

test('what is bound means nothing in SQL', async () => {
  const texts = [
    "'; drop table job; --",
    '$1',
    '") or true --',
    "\\' or 1=1",
    '%',
    '_',
    '{}',
    "a'||'b",
    '\u2028',
  ];
  for (const text of texts) {
    const quoted = `"${text.replace(/[\\"]/g, '\\$&')}"`;
    for (const head of [
      'task',
      'queue',
      'schedule',
      'reason',
      'worker',
      'input.a',
      `input.${quoted}`,
      'meta.a',
    ])
      expect(await found(`${head}:${quoted}`), `${head} ${text}`).toEqual([]);
    expect(await found(quoted)).toEqual([]);
    expect(
      await allPages(db, { meta: { a: text }, task: text, queue: text, schedule: text, reason: text }),
    ).toEqual([]);
  }
  expect(await countJobs(db, {})).toEqual({ value: COUNT, capped: false });
});

test('a page looks as far as it may, says so, and the next one goes on from there', async () => {
  const terms = parseSearch('input.user.id:42');
  const budget = { rows: 60, ms: 10_000 };
  const first = await listJobs(db, { terms, limit: 50, budget });
  expect(first.jobs.map(({ id }) => id)).toEqual(
    known.slice(0, 60).flatMap(({ id, user }) => (user === 42 ? [id] : [])),
  );
  expect(first.next).toBe(known[59]?.id);
  expect(first.searched).toEqual({ complete: false, until: NOON + (COUNT - 60) * HOUR });
  expect(await allPages(db, { terms }, { limit: 50, budget })).toEqual(idsOf(({ user }) => user === 42));
  expect((await listJobs(db, { terms, limit: 50, budget: WHOLE })).searched).toEqual({ complete: true });
  expect((await listJobs(db, { terms, from: NOON, limit: 50, budget: WHOLE })).searched).toEqual({
    complete: true,
    until: NOON,
  });
  // One index tells: nothing is searched.
  expect((await listJobs(db, { queue: 'q1', limit: 5 })).searched).toBeUndefined();
});

test('no time is left for a second step', async () => {
  const terms = parseSearch('input.user.id:none state:succeeded,queued');
  const budget = { rows: 10_000, ms: -1, stepMs: 10_000 };
  const { next = '' } = await listJobs(db, { terms, limit: 5, budget });
  // Half of the first step is for each state; where the machine gives it no time even that is cut short.
  const [first = '', last = ''] = [0, 199].map((n) => idsOf(({ state }) => state === 'succeeded')[n]);
  expect([next >= last, next <= first]).toEqual([true, true]);
});

test('where there are few jobs all are looked at, however long it took to begin', async () => {
  const terms = parseSearch('state:dead queue:q1 input.user.id:none');
  const look = async () => {
    const { next, searched } = await listJobs(db, {
      terms,
      now: NOW,
      limit: 5,
      budget: { rows: 10_000, ms: -1 },
    });
    return [next, searched];
  };
  await expect.poll(look).toEqual([undefined, { complete: true }]);
});

const slowly = (seconds: number, filter: Parameters<typeof conditionsOf>[0] = {}) => ({
  ...conditionsOf(filter),
  rest: [() => `pg_sleep(${seconds}) is null`],
});

test('where jobs take long to be looked at fewer are, and never none', async () => {
  // Time to begin with one job on a slow machine too.
  const budget = { rows: 10_000, ms: 1_000 };
  const scan = await scanJobs(db, { conditions: slowly(0.15), most: 5, budget });
  const looked = 1 + known.findIndex(({ id }) => id === scan.edge);
  expect(scan.ids).toEqual([]);
  expect(looked).toBeGreaterThan(0);
  expect(looked).toBeLessThanOrEqual(10);
  // One takes all the time that there is.
  const stuck = await scanJobs(db, { conditions: slowly(1.1), most: 5, budget });
  expect(stuck).toEqual({ ids: [], edge: known[0]?.id });
});

test('where one state takes all the time some of each are looked at, or it is said what to do', async () => {
  const states = ['succeeded', 'dead'] as const;
  const budget = { rows: 10_000, ms: 1, stepMs: 10_000 };
  const scan = await scanJobs(db, { conditions: slowly(0.02, { states }), most: 5, budget });
  const [succeeded, dead] = states.map((one) => idsOf(({ state }) => state === one)[9] ?? '');
  expect(scan).toEqual({ ids: [], edge: [succeeded, dead].sort().at(-1) });
  await expect(
    scanJobs(db, {
      conditions: slowly(0.02, { states }),
      most: 5,
      budget: { ...budget, stepMs: 100 },
    }),
  ).rejects.toMatchObject({ code: 'search_too_slow' });
});

test('while many search, connections are left for others', async () => {
  const pool = await openDatabase({ url: made.url, applicationName: 'gate-test', poolSize: 5 });
  // Time to begin with one job on a slow machine too, and to be over when that one has been looked at.
  const budget = { rows: 20, ms: 600 };
  const search = () => scanJobs(pool, { conditions: slowly(0.7), most: 5, budget });
  const searches = Promise.allSettled(Array.from({ length: 20 }, search));
  await turn();
  // They are lent a connection, or are being lent one; the rest asks for none.
  expect(pool.queueing().count).toBeLessThanOrEqual(4);
  await pool.ping();
  const codes = (await searches).flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(['too_many_searches']));
  await pool.close();
}, 20_000);

test('queues that the caller does not see are not there', async () => {
  const queues = ['q1', 'q2'];
  const seen = ({ queue }: SampleOfHistory) => queue !== 'q0';
  expect(await allPages(db, { queues }, { limit: 7 })).toEqual(idsOf(seen));
  expect(await allPages(db, { queues: [] })).toEqual([]);
  expect(await allPages(db, { queues, queue: 'q0' })).toEqual([]);
  expect(await allPages(db, { queues, terms: parseSearch('queue:q*') })).toEqual(idsOf(seen));
  expect(await allPages(db, { queues, terms: parseSearch('input.user.id:3') })).toEqual(
    idsOf((job) => seen(job) && job.user === 3),
  );
  expect(await countJobs(db, { queues })).toEqual({ value: idsOf(seen).length, capped: false });
  expect((await countByState(db, { queues: [] })).size).toBe(0);
  const dead = await countByState(db, { queues, states: ['dead'] });
  expect([...dead]).toEqual([
    ['dead', { value: idsOf((job) => seen(job) && job.state === 'dead').length, capped: false }],
  ]);
});

test('any filters together find what all of them hold for, in whatever steps', async () => {
  const filters = fc.record(
    {
      states: fc.uniqueArray(fc.constantFrom(...JOB_STATES), { maxLength: 4 }),
      task: fc.constantFrom('mail.task1', 'mail.task2', 'none'),
      queue: fc.constantFrom('q0', 'q1', 'none'),
      queues: fc.uniqueArray(fc.constantFrom('q0', 'q1', 'q2'), { maxLength: 3 }),
      from: fc.integer({ min: 0, max: COUNT }).map((n) => NOON + n * HOUR),
      to: fc.integer({ min: 0, max: COUNT }).map((n) => NOON + n * HOUR),
      user: fc.integer({ min: 0, max: 50 }),
      glob: fc.constantFrom('mail.*1', '*2', 'mail*', 'x*'),
    },
    { requiredKeys: [] },
  );
  const days = fc.integer({ min: -20, max: 40 }).map((n) => NOW + n * 24 * HOUR);
  const steps = fc.record({
    now: fc.option(days, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 60 }),
    rows: fc.integer({ min: 20, max: 300 }),
  });
  await fc.assert(
    fc.asyncProperty(filters, steps, async ({ user, glob, ...filter }, { now, limit, rows }) => {
      const search = [
        ...(user === undefined ? [] : [`input.user.id:${user}`]),
        ...(glob ? [`task:${glob}`] : []),
      ];
      const terms = parseSearch(search.join(' '));
      const { states, task, queue, queues, from = 0, to = Number.POSITIVE_INFINITY } = filter;
      const place = new Map(known.map(({ id }, index) => [id, NOON + (COUNT - 1 - index) * HOUR]));
      const wanted = idsOf((job) => {
        const at = place.get(job.id) ?? 0;
        return (
          (states?.includes(job.state) ?? true) &&
          (queues?.some((one) => one === job.queue) ?? true) &&
          [task ?? job.task, queue ?? job.queue].join() === [job.task, job.queue].join() &&
          (user === undefined || job.user === user) &&
          (glob === undefined || matchesGlob(glob, job.task)) &&
          at >= from &&
          at < to
        );
      });
      const budget = { rows, ms: 10_000 };
      expect(await allPages(db, { ...filter, terms, now }, { limit, budget })).toEqual(wanted);
      expect(await countJobs(db, { ...filter, terms }, { now, budget: WHOLE })).toEqual({
        value: wanted.length,
        capped: false,
      });
    }),
    { numRuns: 80 },
  );
});
