import { Interrupt } from '@jetbeat/task';
import { expect, onTestFinished, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import type { Held } from '../held.ts';
import { createChildless } from './childless.ts';

const WHY = 'its process did not start: spawn EAGAIN';

function bench() {
  const state = { now: 0, own: 1, others: 1, opened: 0, logged: [] as string[], waits: true };
  const jobs: Held[] = [];
  const childless = createChildless({
    jobs: { all: () => jobs.values() },
    runs: {
      get trouble() {
        return state.waits && jobs.length > 0 ? WHY : undefined;
      },
      isWaiting: (interrupt) => state.waits && !interrupt.aborted,
    },
    sources: new Map([['default', { pulls: () => state.own }]]),
    pullsOn: async () => state.own + state.others,
    onOpen: () => {
      state.opened += 1;
    },
    now: () => state.now,
    log: {
      warn: (_fields: object, text?: string) => void state.logged.push(text ?? ''),
      info: (_fields: object, text?: string) => void state.logged.push(text ?? ''),
    },
  });
  onTestFinished(() => childless.stop());
  const add = (phase: Held['phase'] = 'running', queue = 'default') => {
    const held = { job: newJob({ queue }), phase, interrupt: new Interrupt() } as unknown as Held;
    jobs.push(held);
    return held;
  };
  const at = async (now: number) => {
    state.now = now;
    await childless.look();
  };
  return { state, jobs, add, at, childless };
}

test('a queue for whose jobs others wait is left to them, once no own pull can bring them back', async () => {
  const { state, add, at, childless } = bench();
  const held = add();
  await at(0);
  expect(childless.roomOf('default')).toBe(0);
  expect(childless.roomOf('other')).toBe(Number.POSITIVE_INFINITY);
  expect(held.interrupt.aborted).toBe(false);
  state.own = 0;
  await at(1_000);
  expect(held.interrupt.aborted).toBe(true);
  expect(state.logged).toEqual([`no child can be started: ${WHY}; others get its jobs`]);
});

test('it is tried again, each time later, up to a minute, and not ready as long as it is left', async () => {
  const { state, jobs, add, at, childless } = bench();
  const left: number[] = [];
  for (let now = 0, from = 0; left.length < 6; now += 1_000) {
    if (jobs.length === 0) add();
    await at(now);
    if (childless.roomOf('default') === 0) jobs.length = 0;
    else left.push(now - from);
    if (childless.roomOf('default') === 0) {
      expect(childless.trouble).toBe(WHY);
      continue;
    }
    from = now + 1_000;
  }
  expect(left).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(state.opened).toBe(6);
});

test('where nobody else waits for its jobs a queue is not left, and taken up again when nobody does any more', async () => {
  const { state, add, at, childless } = bench();
  state.others = 0;
  const held = add();
  await at(0);
  expect(childless.roomOf('default')).toBe(Number.POSITIVE_INFINITY);
  state.others = 2;
  await at(1_000);
  expect(childless.roomOf('default')).toBe(0);
  state.others = 0;
  await at(2_000);
  expect([childless.roomOf('default'), state.opened]).toEqual([Number.POSITIVE_INFINITY, 1]);
  expect(held.interrupt.aborted).toBe(false);
});

test('a run that has started is left alone, and the trouble is over', async () => {
  const { state, add, at, childless } = bench();
  const [held, settling] = [add(), add('settling')];
  await at(0);
  state.waits = false;
  state.own = 0;
  await at(1_000);
  expect([held.interrupt.aborted, settling.interrupt.aborted]).toEqual([false, false]);
  await at(5_000);
  expect([childless.trouble, state.opened]).toEqual([undefined, 1]);
  await at(15_001);
  state.waits = true;
  // Forgotten: it begins with the shortest time again.
  await at(16_000);
  await at(21_000);
  expect(state.opened).toBe(2);
});

test('a queue that was left for long is known to be in trouble for as long as any other once it is tried again', async () => {
  const { state, add, at, childless } = bench();
  add();
  for (const now of [0, 5_000, 6_000, 16_000, 17_000]) await at(now);
  // Left for 20 s; the first job comes two seconds after that.
  state.waits = false;
  await at(37_000);
  expect([childless.roomOf('default'), state.opened]).toEqual([Number.POSITIVE_INFINITY, 3]);
  await at(38_000);
  state.waits = true;
  await at(39_000);
  await at(39_000 + 39_999);
  expect([childless.roomOf('default'), state.opened]).toEqual([0, 3]);
  await at(39_000 + 40_000);
  expect(state.opened).toBe(4);
});
