import type { Delivery } from '@jetbeat/jetstream';
import { defineTask } from '@jetbeat/task';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { instant } from '../ends/own-retries.ts';
import { Held } from '../held.ts';
import { HeldJobs } from '../held-jobs.ts';
import { createRun, type RunParams } from './run.ts';

const AT = 1_000_000;

/** One held job that may begin until 100 ms from now; asking for its key, and telling its start, take so long, milliseconds. */
function bench(how: { unique?: boolean; suspect?: boolean; asking?: number; telling?: number }) {
  let clock = AT;
  const done: string[] = [];
  const task = defineTask({
    name: 'test.late',

    async run() {
      done.push('runs');
    },
  });
  const job = newJob({ task: task.name, ...(how.unique ? { unique: { key: 'k', at: AT } } : {}) } as object);
  const held = new Held({
    job,
    since: instant(),
    suspect: how.suspect === true,
    traced: false,
    delivery: { seq: 1, nak() {}, ack() {} } as unknown as Delivery,
  });
  held.beginBy = AT + 100;
  const jobs = new HeldJobs();
  jobs.add(held);
  const params = {
    worker: 'w',
    held: jobs,
    now: () => clock,
    runId: () => 'run',
    slots: { take: () => 0, give: () => {} },
    pace: { ran: () => {} },
    events: {
      async publish({ kind }: { kind: string }) {
        done.push(kind);
        clock += how.telling ?? 0;
        return { seq: 0 };
      },
    },
    settle: { attempt: async () => void done.push('settled'), end: async () => void done.push('ends') },
    measures: { began: () => {}, ran: () => {}, abandoned: 0 },
    lingering: { add: () => {}, end: () => {} },
    logOf: () => ({}),
    enqueueOf: () => async () => ({ id: '' }),
    keys: {
      async claim() {
        clock += how.asking ?? 0;
        return undefined;
      },
      holdBack: async () => void done.push('held back'),
    },
    progress: { note: () => {}, end: () => {} },
    apart: { has: () => false },
    giveBack: async () => void done.push('given back'),
    onLateEnd: () => {},
    onBegin: () => void done.push('begins'),
    onSlot: () => void done.push('slot'),
  } as unknown as RunParams;
  return { run: () => createRun(params)(held, task), held, done, jobs, wait: (ms: number) => (clock += ms) };
}

test('a start is used until its time is over, and no later, whatever was waited for', async () => {
  const usual = bench({ unique: true, suspect: true, asking: 40, telling: 40 });
  expect(await usual.run()).toBe(true);
  expect(usual.done).toEqual(['started', 'begins', 'runs', 'slot', 'settled']);

  const asked = bench({ unique: true, asking: 200 });
  expect(await asked.run()).toBe(false);
  expect(asked.done).toEqual(['slot', 'held back']);
  expect(asked.jobs.running).toBe(0);

  const queued = bench({});
  queued.wait(101);
  expect(await queued.run()).toBe(false);
  expect(queued.done).toEqual(['slot', 'held back']);
});

test('a job of which history has heard that it begins comes again as its next run', async () => {
  const told = bench({ suspect: true, telling: 200 });
  expect(await told.run()).toBe(false);
  expect(told.done).toEqual(['started', 'slot', 'given back']);
  expect(told.jobs.running).toBe(0);
});

test('its attempt begins when history was told that it does: the job never seems to have begun before it', async () => {
  const told = bench({ unique: true, suspect: true, asking: 10, telling: 40 });
  expect(await told.run()).toBe(true);
  expect(told.held.startedAt).toBe(AT + 10);
  const untold = bench({ unique: true, asking: 10 });
  expect(await untold.run()).toBe(true);
  expect(untold.held.startedAt).toBe(AT + 10);
});
