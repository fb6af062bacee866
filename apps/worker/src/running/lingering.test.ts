import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import type { Held } from '../held.ts';
import { createLingering } from './lingering.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function bench() {
  const stuck: string[] = [];
  const logged: object[] = [];
  const lingering = createLingering({
    forMs: 60_000,
    log: { error: (fields: object) => void logged.push(fields) },
    onStuck: ({ message }) => void stuck.push(message),
  });
  return { lingering, stuck, logged };
}
const held = () => ({ job: newJob({ task: 'deaf', queue: 'mail' }) }) as unknown as Held;

test('a handler that keeps a slot long after its hard limit ends the worker, and it is said why', () => {
  const { lingering, stuck, logged } = bench();
  lingering.add(held());
  expect(lingering.count).toBe(1);
  vi.advanceTimersByTime(59_999);
  expect(stuck).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(stuck).toEqual([
    'a handler of deaf has kept a slot of a limit for 60000 ms past its hard time limit: the worker ends, so that others get it',
  ]);
  expect(logged).toMatchObject([{ task: 'deaf', queue: 'mail' }]);
  // Until it is gone it is not ready.
  expect(lingering.count).toBe(1);
});

test('one that ends after all does not, nor does one of a worker that stops anyhow', () => {
  const { lingering, stuck } = bench();
  const [first, second] = [held(), held()];
  lingering.add(first);
  lingering.add(second);
  lingering.end(first);
  expect(lingering.count).toBe(1);
  lingering.stop();
  lingering.add(held());
  vi.advanceTimersByTime(120_000);
  expect(stuck).toEqual([]);
});
