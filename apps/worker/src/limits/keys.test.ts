import { expect, onTestFinished, test, vi } from 'vitest';
import type { Held } from '../held.ts';
import { createKeys, inTurn, type Key } from './keys.ts';

const LONG_MS = 60_000;

function clock() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return { pass: () => vi.advanceTimersByTime(LONG_MS) };
}

test('a key that is used no more is forgotten, unless it may not go', () => {
  const { pass } = clock();
  const keys = createKeys();
  const [idle, held, parked] = ['idle', 'held', 'parked'].map(keys.of) as [Key, Key, Key];
  held.held.set('j', {} as Held);
  parked.toLook = { at: 0, limit: 1 };
  keys.forget(() => true);
  expect([...keys.all()]).toEqual([idle, held, parked]);
  pass();
  keys.forget(() => false);
  expect([...keys.all()]).toEqual([idle, held, parked]);
  keys.forget(() => true);
  expect([...keys.all()]).toEqual([held, parked]);
});

test('a key stays the same while something is being done about it, or waits for its turn, however long', async () => {
  const { pass } = clock();
  const keys = createKeys();
  const key = keys.of('k');
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const works = gates.map(({ promise }) => inTurn(key, () => promise));
  for (const [index, gate] of gates.entries()) {
    pass();
    keys.forget(() => true);
    expect(keys.of('k')).toBe(key);
    index === 0 ? gate.resolve() : gate.reject(new Error('no answer'));
    await works[index]?.catch(() => {});
  }
  // What was done last may have been written just now.
  keys.forget(() => true);
  expect([...keys.all()]).toEqual([key]);
  pass();
  keys.forget(() => true);
  expect([...keys.all()]).toEqual([]);
});
