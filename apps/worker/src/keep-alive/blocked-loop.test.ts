import { expect, test } from 'vitest';
import { watchBlockedLoop } from './blocked-loop.ts';

const graceMs = 30_000;

/** Looks at an event loop that turned last at `lastBeat`, from 0 on every 250 ms, but not in between `stands`. */
function firstEnd(params: {
  lastBeat: number;
  earliestDeadline: number;
  stands?: readonly [from: number, to: number];
}) {
  const { stands = [0, 0], ...slots } = params;
  const blocked = watchBlockedLoop(0);
  for (let now = 250; now <= 200_000; now += 250) {
    if (now > stands[0] && now < stands[1]) continue;
    const ms = blocked({ slots, graceMs, now });
    if (ms !== undefined) return { now, ms };
  }
  return undefined;
}

test('a loop that has not turned since a hard limit is given up after the grace', () => {
  expect(firstEnd({ lastBeat: 1_000, earliestDeadline: 5_000 })).toEqual({ now: 35_000, ms: 34_000 });
});

test('one that has turned since, or has no handler, is not', () => {
  expect(firstEnd({ lastBeat: 5_050, earliestDeadline: 5_000 })).toBeUndefined();
  expect(firstEnd({ lastBeat: 1_000, earliestDeadline: Number.POSITIVE_INFINITY })).toBeUndefined();
});

test('where the whole process stood still the grace begins when that is over', () => {
  const slots = { lastBeat: 1_000, earliestDeadline: 5_000 };
  expect(firstEnd({ ...slots, stands: [1_000, 60_000] })).toEqual({ now: 90_000, ms: 89_000 });
  expect(firstEnd({ ...slots, stands: [20_000, 20_750] })).toEqual({ now: 35_000, ms: 34_000 });
});
