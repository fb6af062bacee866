import type { ScheduleSpec } from '@jetbeat/core';
import { askRuns, databaseTime, editSchedule, getSchedule, noteBeat } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { makeSchedule, movedClock, occurrencesOf } from '../support/scheduler.ts';
import { benchOfEachTest, is } from '../support/scheduler-bench.ts';
import { waitUntil } from '../support/wait-until.ts';

const own = benchOfEachTest();
const { schedule, rows, end } = own;

test('an edit takes effect at once: the old rule holds up to it, the new one from then on', async () => {
  await schedule();
  const now = await databaseTime(own.bench.db);
  const from = Math.ceil(now / 1_000) * 1_000;
  const spec = { overlap: 'allow', catchUp: { all: 100 } } as const;
  const { id, name } = await makeSchedule(own.bench.db, { ...spec, when: { every: 1_000, from } }, { now });
  await rows(id, 'it fires', (found) => found.length >= 2);
  const edit = ({ definition }: { definition: ScheduleSpec }) => ({
    ...definition,
    when: { every: 1_000, from: from + 500 },
  });
  const edited = await editSchedule(own.bench.db, { name, edit });
  const at = edited?.updatedAt ?? 0;
  const found = await rows(
    id,
    'it fires by the new rule',
    (all) => all.filter((o) => o.nominalTime > at).length >= 3,
  );
  const wanted = (begin: number, after: number, upTo: number) =>
    Array.from({ length: 60 }, (_, index) => begin + index * 1_000).filter((t) => t > after && t <= upTo);
  const last = found.at(-1)?.nominalTime ?? 0;
  expect(found.map(({ nominalTime }) => nominalTime)).toEqual([
    ...wanted(from, now, at),
    ...wanted(from + 500, at, last),
  ]);
});

test('a definition that nobody can read stands as the problem of its schedule, and holds up no other', async () => {
  await schedule();
  const now = await databaseTime(own.bench.db);
  const wrong = { when: { cron: 'at noon' } } as const;
  const { name, id } = await makeSchedule(own.bench.db, wrong, { now });
  // It was edited in plain SQL after one of its times had come, and before that was dispatched.
  const runs = () => ({
    origin: 'trigger:1',
    overlap: 'allow' as const,
    runs: [{ nominalTime: now, dispatchAt: now }],
  });
  await askRuns(own.bench.db, { name, plan: runs });
  const other = await makeSchedule(own.bench.db, { when: { every: 1_000 }, overlap: 'allow' }, { now });
  await rows(other.id, 'the other fires', (found) => found.some(is('dispatched')));
  const problem = await waitUntil(
    'the problem is told',
    async () => (await getSchedule(own.bench.db, name))?.problem,
  );
  expect(problem).toMatch(/^\/when\/cron: /);
  expect(await occurrencesOf(own.bench.db, id)).toMatchObject([{ origin: 'trigger:1', state: 'due' }]);
  const edit = ({ definition }: { definition: ScheduleSpec }) => ({ ...definition, when: { every: 1_000 } });
  await editSchedule(own.bench.db, { name, edit });
  await rows(id, 'it fires once it can be read', (found) => found.some(is('dispatched')));
  expect((await getSchedule(own.bench.db, name))?.problem).toBeUndefined();
});

test('a clock that goes back 10 minutes doubles nothing, and nothing is without a row when it is right again', async () => {
  const clock = movedClock();
  await schedule(clock.params);
  await schedule(clock.params);
  const now = await databaseTime(own.bench.db);
  const spec = {
    when: { every: 1_000 },
    overlap: 'allow',
    catchUp: { all: 1_000 },
    catchUpWindow: 3_600_000,
  } as const;
  const { id, createdAt } = await makeSchedule(own.bench.db, spec, { now });
  await rows(id, 'it fires', (found) => found.filter(is('dispatched')).length >= 2);
  clock.offset = -600_000;
  // A second schedule shows that passes go on by the clock as it is.
  const back = await clock.now(own.bench.db);
  const other = await makeSchedule(own.bench.db, { when: { every: 1_000 }, overlap: 'allow' }, { now: back });
  await rows(other.id, 'another one fires', (found) => found.filter(is('dispatched')).length >= 2);
  const meanwhile = await occurrencesOf(own.bench.db, id);
  // What had come by then, and nothing after it.
  const turnedAt = back + 600_000;
  expect(meanwhile.filter(({ nominalTime }) => nominalTime > turnedAt)).toEqual([]);
  clock.offset = 0;
  const after = await rows(
    id,
    'it fires again',
    (found) => found.filter(is('dispatched')).length >= meanwhile.length + 2,
  );
  expect(after.map(({ nominalTime }) => nominalTime)).toEqual(
    after.map((_, index) => createdAt + (index + 1) * 1_000),
  );
});

test('after 8 hours without a scheduler it is said from when to when, in what was missed and in what is caught up', async () => {
  const now = await databaseTime(own.bench.db);
  const eight = 8 * 3_600_000;
  await noteBeat(own.bench.db, { id: 'the last one', now: now - eight });
  const away = { now, agoMs: eight };
  const when = { every: 3_600_000, from: now - 30 * 60_000 - 7 * 3_600_000 };
  const make = (spec: Partial<ScheduleSpec>) => makeSchedule(own.bench.db, { when, ...spec }, away);
  const latest = await make({ catchUp: 'latest' });
  const none = await make({ catchUp: 'none' });
  const all = await make({ catchUp: { all: 3 }, catchUpWindow: 24 * 3_600_000, overlap: 'allow' });
  await schedule();
  const reasons = async (id: string) => {
    const found = await rows(id, 'all are decided', (some) => some.length > 0 && !some.some(is('due')));
    return found.map(({ state, count, reason }) => [
      state,
      count,
      reason?.code,
      / from (\S+) to /.exec(reason?.text ?? '')?.[1],
    ]);
  };
  const since = new Date(now - eight).toISOString();
  expect(await reasons(latest.id)).toEqual([
    ['missed', 7, 'catch_up_window', since],
    ['dispatched', 1, 'caught_up', since],
  ]);
  expect(await reasons(none.id)).toEqual([['missed', 8, 'catch_up_none', since]]);
  expect(await reasons(all.id)).toEqual([
    ['missed', 5, 'catch_up_limit', since],
    ...Array.from({ length: 3 }, () => ['dispatched', 1, 'caught_up', since]),
  ]);
});

test('while the recorder is down for a minute nothing is left out for a job that has ended long ago', async () => {
  const clock = movedClock();
  await schedule(clock.params);
  const now = await databaseTime(own.bench.db);
  const step = 20_000;
  const spec = { when: { every: step }, catchUpWindow: 300_000 };
  const { id } = await makeSchedule(own.bench.db, spec, { now });
  for (let index = 1; index <= 4; index++) {
    clock.offset = index * step + 500;
    const found = await rows(id, `${index} have come`, (some) => some.length >= index);
    if (index === 1) {
      const [first] = await rows(id, 'the first runs', ([one]) => one?.state === 'dispatched');
      await end(first);
    } else expect(found.map(({ state }) => state)).toEqual(['dispatched', ...Array(index - 1).fill('due')]);
  }
  await (await own.bench.start()).ready();
  const found = await rows(id, 'all are decided', (some) => !some.some(is('due')));
  expect(found.map(({ state, count }) => [state, count])).toEqual([
    ['dispatched', 1],
    ['dispatched', 1],
    ['skipped', 2],
  ]);
  expect(found[2]?.reason?.text).toBe(`overlap: job ${found[1]?.jobId} still queued`);
});
