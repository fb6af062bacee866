import { expect, test } from 'vitest';
import type { DoubtQuestion, KnownJob } from './judge.ts';
import { mayHold } from './may-hold.ts';

const silent = new Set(['silent']);
const known: KnownJob = { state: 'queued', attempt: 1, run: 1, parks: 0, losses: 0 };
const retrying: KnownJob = { ...known, state: 'retrying', worker: 'other' };

test.each<[string, Pick<DoubtQuestion, 'isFresh'>, KnownJob | undefined, boolean]>([
  ['a job that anybody may have begun', {}, known, true],
  ['one that history does not know', { isFresh: true }, undefined, true],
  ['a step that nobody can have begun unasked', { isFresh: true }, known, false],
  [
    'one that was moved: its old message may be anywhere',
    { isFresh: true },
    { ...known, movedBelow: 9 },
    true,
  ],
  ['one that another worker gave back', {}, { ...known, run: 2, isGivenBack: true }, false],
  ['given back, then moved', {}, { ...known, run: 3, isGivenBack: true, movedBelow: 9 }, true],
  ['the retry of another worker', {}, retrying, false],
  ['its own retry, which it may have begun', {}, { ...retrying, worker: 'silent' }, true],
  ['a retry of nobody knows whom', {}, { ...known, state: 'retrying' }, true],
  ['what was parked, since nobody may have answered then', {}, { ...known, state: 'parked', parks: 1 }, true],
])('%s', (_what, question, row, expected) => {
  expect(mayHold(question, row, silent)).toBe(expected);
  expect(mayHold(question, row, new Set())).toBe(false);
});
