import type { DoubtQuestion, KnownJob } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { answerDoubts } from './answer-doubts.ts';

const question: DoubtQuestion = { job: 'a', worker: 'w1', attempt: 2, run: 2, parks: 0 };
const known: KnownJob = { state: 'queued', attempt: 2, run: 2, parks: 0, losses: 0 };
const none = () => false;
const silent: ReadonlySet<string> = new Set();

test('a free job is granted to the first asker of a batch only', () => {
  const rows = new Map([['a', known]]);
  const alive = new Set(['w1', 'w2']);
  const { answers, grants } = answerDoubts([question, { ...question, worker: 'w2' }], {
    rows,
    alive,
    isHeld: none,
    silent,
  });
  expect(answers).toEqual([{ answer: 'free', run: 2, losses: 0 }, { answer: 'held' }]);
  expect(grants).toEqual([{ job: 'a', worker: 'w1', attempt: 2, run: 2, parks: 0, losses: 0 }]);
  expect(rows.get('a')).toEqual(known);
});

test('a job without a row is granted once too', () => {
  const twice = [question, { ...question, worker: 'w2' }];
  const { answers, grants } = answerDoubts(twice, {
    rows: new Map(),
    alive: new Set(['w1', 'w2']),
    isHeld: none,
    silent,
  });
  expect(answers.map(({ answer }) => answer)).toEqual(['free', 'held']);
  expect(grants).toHaveLength(1);
});

test('a vanished worker costs a loss and begins a new run', () => {
  const rows = new Map<string, KnownJob>([['a', { ...known, state: 'running', worker: 'gone', losses: 1 }]]);
  const { answers, grants } = answerDoubts([question], {
    rows,
    alive: new Set(['w1']),
    isHeld: none,
    silent,
  });
  expect(answers).toEqual([{ answer: 'free', run: 3, losses: 2 }]);
  expect(grants[0]).toMatchObject({ worker: 'w1', run: 3, losses: 2 });
});

test('what is held, settled or used up is granted to nobody', () => {
  const rows = new Map<string, KnownJob>([
    ['held', known],
    ['done', { ...known, state: 'succeeded', next: { state: 'succeeded' } }],
    ['deadly', { ...known, state: 'running', worker: 'gone', losses: 5 }],
  ]);
  const questions = ['held', 'done', 'deadly'].map((job) => ({ ...question, job }));
  const isHeld = (job: string) => job === 'held';
  const { answers, grants } = answerDoubts(questions, { rows, alive: new Set(['w1']), isHeld, silent });
  expect(answers).toEqual([
    { answer: 'held' },
    { answer: 'settled', run: 2, next: { state: 'succeeded' } },
    { answer: 'exhausted', losses: 6 },
  ]);
  expect(grants).toEqual([]);
});

test('what somebody has cancelled is granted to nobody where nobody runs it: it ends', () => {
  const isCancelled = true;
  const rows = new Map<string, KnownJob>([
    ['waits', { ...known, isCancelled }],
    ['lost', { ...known, state: 'cancelling', worker: 'gone', isCancelled }],
    ['runs', { ...known, state: 'cancelling', worker: 'w2', isCancelled }],
    ['held', { ...known, isCancelled }],
    ['often', { ...known, state: 'cancelling', worker: 'gone', losses: 5, isCancelled }],
  ]);
  const questions = ['waits', 'lost', 'often', 'runs', 'held', 'waits'].map((job) => ({ ...question, job }));
  const isHeld = (job: string) => job === 'held';
  const { answers, grants, cancelled } = answerDoubts(questions, {
    rows,
    alive: new Set(['w2']),
    isHeld,
    silent,
  });
  expect(answers.map(({ answer }) => answer)).toEqual([
    ...['settled', 'settled', 'settled'],
    ...['held', 'held', 'settled'],
  ]);
  expect([grants, cancelled]).toEqual([[], ['waits', 'lost', 'often']]);
});

test('who does not answer may hold what was in no doubt for it, and nothing else', () => {
  const rows = new Map<string, KnownJob>([
    ['first', { ...known, attempt: 1, run: 1 }],
    ['given-back', { ...known, attempt: 1, isGivenBack: true }],
    ['retried', { ...known, attempt: 1, run: 1, state: 'retrying', worker: 'w2' }],
    ['own', { ...known, attempt: 1, run: 1, state: 'retrying', worker: 'silent' }],
    ['runs', { ...known, state: 'running', worker: 'silent' }],
  ]);
  const questions = [...rows.keys()].map((job) => ({ ...question, job }));
  const holders = { rows, alive: new Set(['w1', 'silent']), isHeld: none, silent: new Set(['silent']) };
  const answersOf = (asked: DoubtQuestion[]) =>
    answerDoubts(asked, holders).answers.map(({ answer }) => answer);
  expect(answersOf(questions)).toEqual(['held', 'free', 'free', 'held', 'held']);
  const fresh = questions.map((one) => ({ ...one, isFresh: true }));
  expect(answersOf(fresh)).toEqual(['free', 'free', 'free', 'free', 'held']);
});
