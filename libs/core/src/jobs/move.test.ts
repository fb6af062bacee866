import { expect, test } from 'vitest';
import { judge } from './judge.ts';
import { type MovableJob, moveJob } from './move.ts';
import { orderOf, PHASES } from './order.ts';

const NOW = 1_000_000;
const LATER = NOW + 60_000;
const waiting: MovableJob = {
  state: 'scheduled',
  priority: 'normal',
  attempt: 1,
  run: 1,
  parks: 0,
  runAt: LATER,
  dueAt: LATER,
};

test('another time is one run later, and what was before it is void', () => {
  const below = orderOf({ attempt: 1, run: 2, parks: 0 }, PHASES.queued);
  expect(moveJob(waiting, { runAt: LATER + 1 }, NOW)).toEqual({
    state: 'scheduled',
    attempt: 1,
    run: 2,
    order: below,
    below,
    priority: 'normal',
    runAt: LATER + 1,
    dueAt: LATER + 1,
    next: undefined,
  });
  expect(moveJob(waiting, { runAt: NOW - 5 }, NOW)).toMatchObject({
    state: 'queued',
    runAt: NOW,
    dueAt: NOW,
  });
  expect(moveJob(waiting, { priority: 'high' }, NOW)).toMatchObject({
    state: 'scheduled',
    priority: 'high',
    dueAt: LATER,
    run: 2,
  });
  const queued = { ...waiting, state: 'queued', runAt: NOW - 9, dueAt: NOW - 9 } as const;
  expect(moveJob(queued, { priority: 'low' }, NOW)).toMatchObject({ state: 'queued', runAt: NOW - 9 });
  expect(moveJob(queued, { runAt: LATER }, NOW)).toMatchObject({ state: 'scheduled', dueAt: LATER });
});

test('what changes nothing is no move', () => {
  expect(moveJob(waiting, { runAt: LATER, priority: 'normal' }, NOW)).toBeUndefined();
  expect(moveJob({ ...waiting, state: 'queued', dueAt: NOW - 1 }, { runAt: NOW }, NOW)).toBeUndefined();
  expect(moveJob({ ...waiting, state: 'parked', dueAt: NOW - 1 }, { runAt: NOW }, NOW)).toBeUndefined();
});

test('a retry keeps its attempt: it waits on, or is queued as the next one', () => {
  const next = { state: 'retrying', attempt: 2, runAt: LATER } as const;
  const retrying: MovableJob = { ...waiting, state: 'retrying', next };
  const message = orderOf({ attempt: 2, run: 3, parks: 0 }, PHASES.queued);
  expect(moveJob(retrying, { runAt: LATER + 5 }, NOW)).toMatchObject({
    state: 'retrying',
    attempt: 1,
    run: 2,
    next: { ...next, runAt: LATER + 5 },
    below: message,
    order: orderOf({ attempt: 1, run: 2, parks: 0 }, PHASES.settled),
  });
  expect(moveJob(retrying, { runAt: NOW }, NOW)).toMatchObject({
    state: 'queued',
    attempt: 2,
    run: 3,
    order: message,
    below: message,
  });
});

test('whoever asks about a message from before the move is told to let it go, also while the new one runs', () => {
  const moved = moveJob(waiting, { runAt: NOW }, NOW);
  const known = {
    state: 'queued',
    attempt: 1,
    run: 2,
    parks: 0,
    losses: 0,
    movedBelow: moved?.below ?? 0,
  } as const;
  const holders = { alive: () => true, held: false };
  const ask = (run: number) => ({ job: 'j', worker: 'w', attempt: 1, run, parks: 0 });
  expect(judge(ask(1), known, holders)).toEqual({ answer: 'settled' });
  expect(judge(ask(2), known, holders)).toMatchObject({ answer: 'free', run: 2 });
  expect(judge(ask(1), { ...known, state: 'running', worker: 'w2' }, holders)).toEqual({ answer: 'settled' });
});
