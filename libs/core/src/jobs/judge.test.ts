import { expect, test } from 'vitest';
import { MAX_LOSSES } from '../policy/policy.ts';
import type { Next } from '../policy/retry.ts';
import { FIRST_POSITION } from './envelope.ts';
import { type DoubtQuestion, type Holders, judge, type KnownJob } from './judge.ts';

const retry: Next = { state: 'retrying', attempt: 2, runAt: 5 };
const dead: Next = { state: 'dead', reason: { code: 'rejected', text: 'no' } };
const asked = (change: Partial<DoubtQuestion> = {}): DoubtQuestion => ({
  job: 'j',
  worker: 'asker',
  ...FIRST_POSITION,
  ...change,
});
const known = (change: Partial<KnownJob> = {}): KnownJob => ({
  state: 'queued',
  losses: 0,
  ...FIRST_POSITION,
  ...change,
});
const nobody: Holders = { alive: () => false, held: false };

test.each<[string, DoubtQuestion, KnownJob | undefined, Partial<Holders>, object]>([
  ['unknown to history', asked({ run: 3 }), undefined, {}, { answer: 'free', run: 3, losses: 0 }],
  ['unknown to history, held by a worker', asked(), undefined, { held: true }, { answer: 'held' }],
  ['over', asked(), known({ state: 'cancelled' }), {}, { answer: 'settled' }],
  ['over, held or not', asked(), known({ state: 'succeeded' }), { held: true }, { answer: 'settled' }],
  [
    'dead by its last attempt',
    asked(),
    known({ state: 'dead', next: dead, run: 2 }),
    {},
    { answer: 'settled', next: dead, run: 2 },
  ],
  ['of an earlier attempt', asked(), known({ attempt: 2 }), {}, { answer: 'settled' }],
  [
    'settled, its retry may be missing',
    asked(),
    known({ state: 'retrying', next: retry }),
    {},
    { answer: 'settled', next: retry, run: 1 },
  ],
  ['settled, what followed is not known', asked(), known({ state: 'retrying' }), {}, { answer: 'settled' }],
  [
    'the next run of a snoozed attempt',
    asked({ run: 2 }),
    known({ state: 'retrying', next: { ...retry, attempt: 1 } }),
    {},
    { answer: 'free', run: 2, losses: 0 },
  ],
  [
    'a later run of an attempt that has failed: of another lineage',
    asked({ run: 2 }),
    known({ state: 'retrying', next: retry }),
    {},
    { answer: 'settled', next: retry, run: 1 },
  ],
  ['parked since', asked(), known({ state: 'parked', parks: 1 }), {}, { answer: 'settled' }],
  [
    'the parked one itself',
    asked({ parks: 1 }),
    known({ state: 'parked', parks: 1 }),
    {},
    { answer: 'free', run: 1, losses: 0 },
  ],
  ['queued', asked(), known({ losses: 2 }), {}, { answer: 'free', run: 1, losses: 2 }],
  ['queued again as a later run', asked(), known({ run: 4 }), {}, { answer: 'free', run: 4, losses: 0 }],
  [
    'the next attempt of a failed one',
    asked({ attempt: 2, run: 2 }),
    known({ state: 'retrying', next: retry }),
    {},
    { answer: 'free', run: 2, losses: 0 },
  ],
  [
    'the next attempt of one that seems to run',
    asked({ attempt: 2, run: 2 }),
    known({ state: 'running', worker: 'w' }),
    {},
    { answer: 'free', run: 2, losses: 0 },
  ],
  ['held elsewhere', asked(), known(), { held: true }, { answer: 'held' }],
  [
    'granted to the asker before',
    asked(),
    known({ state: 'running', worker: 'asker', run: 2, losses: 1 }),
    {},
    { answer: 'free', run: 2, losses: 1 },
  ],
  [
    'running at a live worker',
    asked(),
    known({ state: 'running', worker: 'w' }),
    { alive: (worker) => worker === 'w' },
    { answer: 'held' },
  ],
  [
    'running at a vanished worker',
    asked(),
    known({ state: 'running', worker: 'w', run: 2 }),
    {},
    { answer: 'free', run: 3, losses: 1 },
  ],
  [
    'running at a worker that history does not know',
    asked(),
    known({ state: 'running' }),
    { alive: () => true },
    { answer: 'free', run: 2, losses: 1 },
  ],
  [
    'parked in doubt while it ran at a worker that is alive',
    asked({ parks: 1 }),
    known({ state: 'parked', parks: 1, open: ['gone', 'w'] }),
    { alive: (worker) => worker === 'w' },
    { answer: 'held' },
  ],
  [
    'parked in doubt while it ran at a worker that vanished',
    asked({ parks: 1 }),
    known({ state: 'parked', parks: 1, losses: 1, run: 2, open: ['w'] }),
    {},
    { answer: 'free', run: 3, losses: 2 },
  ],
  [
    'parked in doubt when its last worker vanished that it may take down',
    asked({ parks: 1 }),
    known({ state: 'parked', parks: 1, losses: MAX_LOSSES, open: ['w'] }),
    {},
    { answer: 'exhausted', losses: MAX_LOSSES + 1 },
  ],
  [
    'begun by the asker, which has let go of it',
    asked({ parks: 1 }),
    known({ state: 'parked', parks: 1, open: ['asker'] }),
    { alive: () => true },
    { answer: 'free', run: 1, losses: 0 },
  ],
  [
    'the next attempt of one that was begun',
    asked({ attempt: 2, run: 2 }),
    known({ open: ['w'] }),
    { alive: () => true },
    { answer: 'free', run: 2, losses: 0 },
  ],
  [
    'lost as often as it may be',
    asked(),
    known({ state: 'running', worker: 'w', losses: MAX_LOSSES - 1 }),
    {},
    { answer: 'free', run: 2, losses: MAX_LOSSES },
  ],
  [
    'lost too often',
    asked(),
    known({ state: 'running', worker: 'w', losses: MAX_LOSSES }),
    {},
    { answer: 'exhausted', losses: MAX_LOSSES + 1 },
  ],
])('%s', (_what, question, job, holders, answer) => {
  expect(judge(question, job, { ...nobody, ...holders })).toEqual(answer);
});
