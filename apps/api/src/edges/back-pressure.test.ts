import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBackPressure } from './back-pressure.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

const idle = { count: 0, oldestMs: 0 };

test('turns of the event loop that take too long refuse, until they are short again; one alone does not', () => {
  let now = 0;
  const pressure = createBackPressure({ queueing: () => idle, monotonic: () => now });
  const turn = (ms: number) => {
    now += ms;
    vi.advanceTimersByTime(100);
  };
  for (const ms of [60_000, 100, 700, 700]) turn(ms);
  expect(() => pressure.check()).not.toThrow();
  turn(2_100);
  expect(() => pressure.check()).toThrow('this process is 2000 ms behind: repeat later');
  turn(120);
  expect(() => pressure.check()).not.toThrow();
  pressure.stop();
});

test.each([
  [idle, true],
  [{ count: 50, oldestMs: 900 }, true],
  [{ count: 1, oldestMs: 1_100 }, false],
  [{ count: 2_001, oldestMs: 10 }, false],
])('statements that wait: %j', (queueing, fine) => {
  const pressure = createBackPressure({ queueing: () => queueing });
  if (fine) expect(() => pressure.check()).not.toThrow();
  else expect(() => pressure.check()).toThrow(expect.objectContaining({ code: 'overloaded', retryAfter: 1 }));
  pressure.stop();
});
