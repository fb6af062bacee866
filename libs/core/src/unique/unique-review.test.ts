import { expect, test } from 'vitest';
import type { JobState } from '../jobs/job-state.ts';
import type { KeyHolder, KeyNote } from './unique-note.ts';
import { reassertKey, reviewKey } from './unique-review.ts';

const NOW = 1_000_000;
const job = (id: string, createdAt = NOW): KeyHolder => ({
  id,
  task: 't',
  queue: 'q',
  priority: 'normal',
  createdAt,
  runAt: createdAt,
});
const [a, b, c] = [job('a'), job('b', NOW + 1), job('c', NOW + 2)] as const;
const note = (facts: Partial<KeyNote> = {}): KeyNote => ({
  v: 1,
  key: 'k',
  mode: 'unfinished',
  holder: a,
  ...facts,
});
const lastNote = (facts: Partial<KeyNote> = {}) => note({ mode: 'last', ...facts });
const again = { ...a, attempt: 2, run: 2 };

const review = (before: KeyNote, state?: JobState, age = 0, run = 1) =>
  reviewKey({ note: before, known: state && { state, run }, age, unknownAfter: 45, now: NOW });

test('the recorder frees the keys of what is over, or was never stored', () => {
  expect(review(note(), 'queued')).toEqual({ do: 'keep' });
  expect(review(note({ begun: true }), 'running')).toEqual({ do: 'keep' });
  for (const state of ['succeeded', 'dead', 'cancelled', 'expired'] as const)
    expect(review(note(), state)).toEqual({ do: 'remove' });
  expect(review(note(), undefined, 44)).toEqual({ do: 'keep' });
  expect(review(note(), undefined, 45)).toEqual({ do: 'remove' });
  expect(review(note({ holder: b, replaces: [a] }), undefined, 45)).toEqual({ do: 'write', note: note() });
  // Whoever is stored has taken the place for good.
  const replacing = note({ holder: b, replaces: [a] });
  expect(review(replacing, 'queued')).toEqual({ do: 'clear', cleared: [a], note: note({ holder: b }) });
  // What was forgotten of a run that has begun.
  expect(review(note(), 'running')).toEqual({ do: 'write', note: note({ begun: true }) });
  expect(review(note(), 'queued', 0, 2)).toEqual({ do: 'write', note: note({ begun: true }) });
  expect(review(note({ mode: 'queued' }), 'retrying')).toEqual({ do: 'remove' });
});

test('the recorder leaves the key to a retry that is kept as the last until that has begun', () => {
  const waiting = lastNote({ holder: again });
  // History may not have heard of the attempt that has failed.
  expect(review(waiting, 'running')).toEqual({ do: 'keep' });
  expect(review(waiting, 'retrying')).toEqual({ do: 'keep' });
  expect(review(waiting, 'queued', 0, 2)).toEqual({ do: 'keep' });
  expect(review(waiting, 'running', 0, 2)).toEqual({ do: 'remove' });
  expect(review(waiting, 'queued', 0, 3)).toEqual({ do: 'remove' });
  expect(review(waiting, 'cancelled')).toEqual({ do: 'remove' });
  const behind = { ...again, again: true } as const;
  const given = lastNote({ holder: b, replaces: [behind] });
  const cleared = { do: 'clear', cleared: [behind], note: lastNote({ holder: b }) };
  expect(review(given, 'queued')).toEqual(cleared);
  expect(review(given, 'succeeded')).toEqual(cleared);
  // Who had the place was cancelled before he ran.
  expect(review({ ...given, replaces: [behind, c] }, 'cancelled')).toEqual({
    do: 'clear',
    cleared: [c],
    note: waiting,
  });
});

test('a period is kept to its end, also when history forgets the job', () => {
  const timed = note({ mode: 'period', until: NOW + 1 });
  expect(review(timed, 'succeeded')).toEqual({ do: 'write', note: { ...timed, known: true } });
  expect(review({ ...timed, known: true }, undefined, 100)).toEqual({ do: 'keep' });
  expect(review({ ...timed, known: true }, 'succeeded')).toEqual({ do: 'keep' });
  expect(review(timed, undefined, 45)).toEqual({ do: 'remove' });
  expect(review(note({ until: NOW }), 'running')).toEqual({ do: 'remove' });
});

const reassert = (
  before: KeyNote | undefined,
  state: JobState,
  mode: 'unfinished' | 'queued' | 'period' = 'unfinished',
) =>
  reassertKey({
    note: before,
    unique: { key: 'k', scope: 'task', mode },
    job: a,
    known: { state, run: 1 },
  });

test('what was forgotten is noted again, and who came later gives way until it has begun', () => {
  expect(reassert(undefined, 'queued')).toEqual(note());
  expect(reassert(undefined, 'running')).toEqual(note({ begun: true }));
  expect(reassert(note(), 'running')).toBeUndefined();
  expect(reassert(note({ holder: b }), 'queued')).toEqual(note());
  expect(reassert(note({ holder: b, begun: true }), 'queued')).toBeUndefined();
  expect(reassert(note({ holder: b, replaces: [a] }), 'queued')).toBeUndefined();
  expect(reassert(note({ holder: job('z', NOW - 1) }), 'queued')).toBeUndefined();
  expect(reassert(undefined, 'running', 'queued')).toBeUndefined();
  expect(reassert(undefined, 'queued', 'queued')).toEqual(note({ mode: 'queued' }));
  expect(reassert(undefined, 'queued', 'period')).toBeUndefined();
});
