import { expect, test } from 'vitest';
import { uuidV7 } from '../ids.ts';
import { FIRST_POSITION } from '../jobs/envelope.ts';
import type { UniqueAsk } from './unique.ts';
import {
  decideClaim,
  decideTake,
  decideWaiting,
  frees,
  giveBack,
  holderOf,
  type KeyHolder,
  type KeyNote,
  leftBehind,
  readKeyNote,
} from './unique-note.ts';

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
const ask = (facts: Partial<UniqueAsk> = {}): UniqueAsk => ({
  key: 'k',
  scope: 'task',
  mode: 'unfinished',
  onConflict: 'existing',
  ...facts,
});
const note = (facts: Partial<KeyNote> = {}): KeyNote => ({
  v: 1,
  key: 'k',
  mode: 'unfinished',
  holder: a,
  ...facts,
});
const take = (before: KeyNote | undefined, asked = ask(), over?: string) =>
  decideTake({ note: before, ask: asked, job: b, now: NOW, over });
const replace = ask({ onConflict: 'replace' });

test('the first takes the key, others are answered with it, and it itself finds it again', () => {
  expect(take(undefined)).toEqual({ answer: 'created', write: note({ holder: b }) });
  expect(take(note())).toEqual({ answer: 'existing', note: note() });
  expect(take(note({ holder: b }))).toEqual({ answer: 'own', note: note({ holder: b }) });
});

test('a place is taken only of what has not begun, and is given back when the taker is not stored', () => {
  const taken = note({ holder: b, replaces: [a] });
  expect(take(note(), replace)).toEqual({ answer: 'replaced', write: taken });
  expect(take(note({ begun: true }), replace)).toMatchObject({ answer: 'existing' });
  expect(take(note({ until: NOW + 1 }), replace)).toMatchObject({ answer: 'existing' });
  const third = decideTake({ note: taken, ask: replace, job: c, now: NOW });
  expect(third).toEqual({ answer: 'replaced', write: note({ holder: c, replaces: [a, b] }) });
  expect(giveBack(note({ holder: c, replaces: [a, b] }), 'c')).toEqual(taken);
  expect(giveBack(taken, 'b')).toEqual(note());
  expect(giveBack(note(), 'a')).toBe('remove');
  expect(giveBack(taken, 'a')).toBe('keep');
  const many = note({ replaces: Array.from({ length: 64 }, (_, index) => job(`old${index}`)) });
  expect(take(many, replace)).toMatchObject({ answer: 'existing' });
});

test('a period is over by the clock alone', () => {
  const timed = ask({ mode: 'period', forMs: 10 });
  expect(take(undefined, timed)).toMatchObject({ write: { mode: 'period', until: NOW + 10 } });
  expect(take(note({ mode: 'period', until: NOW + 1 }), timed, 'a')).toMatchObject({ answer: 'existing' });
  expect(take(note({ mode: 'period', until: NOW }), timed)).toMatchObject({ answer: 'created' });
});

test('a debounced job is put off until its time, or maxWait, has come; then it is let go', () => {
  const later = (id: string, at: number) => ({ ...job(id, at), runAt: at + 500 });
  const put = (before: KeyNote | undefined, who: KeyHolder, now: number) =>
    decideTake({ note: before, ask: ask({ mode: 'debounce', delayMs: 500, maxWaitMs: 700 }), job: who, now });
  const first = put(undefined, later('a', NOW), NOW);
  const held = note({ mode: 'debounce', holder: later('a', NOW), since: NOW });
  expect(first).toEqual({ answer: 'created', write: held });
  const second = put(held, later('b', NOW + 400), NOW + 400);
  const cut = { ...later('b', NOW + 400), runAt: NOW + 700 };
  const putOff = note({ mode: 'debounce', holder: cut, since: NOW, replaces: [held.holder] });
  expect(second).toEqual({ answer: 'replaced', write: putOff });
  const { replaces: _, ...stored } = putOff;
  const third = put(stored, later('c', NOW + 700), NOW + 700);
  const next = note({ mode: 'debounce', holder: later('c', NOW + 700), since: NOW + 700 });
  expect(third).toEqual({ answer: 'created', write: next });
  expect(put(next, next.holder, NOW)).toEqual({ answer: 'own', note: next });
  const many = { ...held, replaces: Array.from({ length: 64 }, (_, index) => job(`old${index}`)) };
  expect(put(many, later('b', NOW), NOW)).toEqual({ answer: 'existing', note: many });
  // Nothing bounds it, and nobody knows since when: it was noted again after a loss.
  const { since: _since, ...unknown } = held;
  const endless = ask({ mode: 'debounce', delayMs: 500 });
  expect(decideTake({ note: unknown, ask: endless, job: later('b', NOW + 1), now: NOW + 1 })).toEqual({
    answer: 'replaced',
    write: note({ mode: 'debounce', holder: later('b', NOW + 1), since: NOW + 1, replaces: [held.holder] }),
  });
  expect(decideTake({ note: held, ask: endless, job: later('b', NOW), now: NOW, over: 'a' })).toMatchObject({
    answer: 'created',
  });
  const debounced = (before: KeyNote, who: KeyHolder) =>
    decideClaim({
      note: before,
      unique: { key: 'k', scope: 'task', mode: 'debounce' },
      job: who,
      run: 1,
      now: NOW,
    });
  expect(debounced(putOff, held.holder)).toEqual({ do: 'wait' });
  expect(debounced(stored, held.holder)).toEqual({ do: 'yield', to: 'b' });
  expect(debounced(next, cut)).toEqual({ do: 'go' });
  expect(debounced(stored, cut)).toEqual({ do: 'remove', cleared: [] });
});

test('a holder that is known to be over gives way', () => {
  const clearing = note({ holder: a, replaces: [c] });
  expect(take(clearing, ask(), 'a')).toEqual({
    answer: 'created',
    write: note({ holder: b, replaces: [c] }),
  });
  expect(take(note({ begun: true }), ask(), 'a')).toEqual({ answer: 'created', write: note({ holder: b }) });
  expect(take(note({ begun: true }), ask(), 'c')).toMatchObject({ answer: 'existing' });
});

const claim = (before: KeyNote | undefined, who: KeyHolder, facts: { mode?: 'queued'; run?: number } = {}) =>
  decideClaim({
    note: before,
    unique: { key: 'k', scope: 'task', mode: facts.mode ?? 'unfinished' },
    job: who,
    run: facts.run ?? 1,
    now: NOW,
  });

test('of two jobs with one key the note says which one runs', () => {
  const begun = note({ begun: true });
  expect(claim(note(), a)).toEqual({ do: 'write', note: begun, cleared: [] });
  expect(claim(begun, a)).toEqual({ do: 'go' });
  expect(claim(begun, b)).toEqual({ do: 'yield', to: 'a' });
  expect(claim(undefined, a)).toEqual({ do: 'write', note: begun, cleared: [] });
  const unsure = note({ holder: b, replaces: [a] });
  expect(claim(unsure, a)).toEqual({ do: 'wait' });
  expect(claim(unsure, b)).toEqual({ do: 'write', note: note({ holder: b, begun: true }), cleared: [a] });
  expect(claim(note({ holder: b, until: NOW }), a)).toMatchObject({ do: 'write', note: { holder: a } });
});

test('a key that is held while queued is free from the first run on', () => {
  expect(claim(note({ mode: 'queued' }), a, { mode: 'queued' })).toEqual({ do: 'remove', cleared: [] });
  expect(claim(note({ holder: b }), a, { mode: 'queued' })).toEqual({ do: 'yield', to: 'b' });
  expect(claim(note({ holder: b }), a, { mode: 'queued', run: 2 })).toEqual({ do: 'go' });
  expect(claim(undefined, a, { mode: 'queued', run: 2 })).toEqual({ do: 'go' });
});

const last = { key: 'k', scope: 'task', mode: 'last' } as const;
const lastNote = (facts: Partial<KeyNote> = {}) => note({ mode: 'last', ...facts });
const again = { ...a, attempt: 2, run: 2 };
const waits = (before: KeyNote | undefined, who = again) =>
  decideWaiting({ note: before, unique: last, job: who });
const claimLast = (before: KeyNote | undefined, who: KeyHolder, run: number) =>
  decideClaim({ note: before, unique: last, job: who, run, now: NOW });

test('of those of which the last is kept a retry waits as any other: a newer call takes its place', () => {
  const waiting = lastNote({ holder: again });
  expect(waits(undefined)).toEqual(waiting);
  expect(waits(waiting)).toBeUndefined();
  expect(waits(lastNote())).toEqual(waiting);
  const taken = lastNote({ holder: b, replaces: [again] });
  expect(take(waiting, ask({ mode: 'last', onConflict: 'replace' }))).toEqual({
    answer: 'replaced',
    write: taken,
  });
  expect(claimLast(waiting, a, 2)).toEqual({ do: 'remove', cleared: [] });
  expect(claimLast(taken, a, 2)).toEqual({ do: 'wait' });
  expect(claimLast(taken, b, 1)).toEqual({ do: 'remove', cleared: [again] });
});

test('where another one waits already a retry gives it its place, and has it back if that one does not run', () => {
  const behind = { ...again, again: true } as const;
  const given = lastNote({ holder: b, replaces: [behind] });
  expect(waits(lastNote({ holder: b }))).toEqual(given);
  expect(waits(given)).toBeUndefined();
  const third = lastNote({ holder: c, replaces: [behind, b] });
  expect(waits(lastNote({ holder: c, replaces: [b] }))).toEqual(third);
  const many = lastNote({
    holder: b,
    replaces: Array.from({ length: 64 }, (_, index) => job(`old${index}`)),
  });
  expect(waits(many)).toBeUndefined();
  // It was never stored: the recorder, or its producer, gives the place back.
  expect(giveBack(given, 'b')).toEqual(lastNote({ holder: again }));
  expect(claimLast(given, b, 1)).toEqual({ do: 'remove', cleared: [behind] });
  expect(leftBehind(third)).toEqual(lastNote({ holder: again }));
  expect(leftBehind(lastNote({ holder: b, replaces: [a] }))).toBeUndefined();
  expect(leftBehind(lastNote())).toBeUndefined();
  // What was lost with its worker has noted nothing: it runs on.
  expect(claimLast(lastNote({ holder: b }), a, 2)).toEqual({ do: 'go' });
});

test('the end of a job frees its own key, and no other, and no period', () => {
  expect(frees(note(), 'a')).toBe(true);
  expect(frees(note(), 'b')).toBe(false);
  expect(frees(note({ until: NOW + 1 }), 'a')).toBe(false);
  expect(frees(undefined, 'a')).toBe(false);
});

test('a note is read as it was written, and what is none is not', () => {
  const id = uuidV7(NOW, new Uint8Array(10));
  const envelope = { ...job(id), v: 1, input: { large: true }, ...FIRST_POSITION } as const;
  const written = note({ holder: holderOf(envelope), begun: true });
  expect(written.holder).toEqual(job(id));
  expect(readKeyNote(JSON.stringify(written))).toEqual(written);
  for (const text of ['', '{', 'null', '{}', '{"v":2}', JSON.stringify({ ...written, holder: { id: 'x' } })])
    expect(readKeyNote(text)).toBeUndefined();
});
