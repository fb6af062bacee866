import { createRecurrence } from '@jetbeat/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesOf, clockOf, firesBetween, recordClock, ZONES } from '../support/clock-oracle.ts';
import { compare, DST_RULES, EVERY_MINUTE, RULES } from '../support/when-sweep.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.UTC(2020, 0, 1);
const TO = Date.UTC(2041, 0, 1);
const AUTO = { gap: 'shift', fold: 'auto' } as const;

// Every minute of these years, all zones and rules: test/long/clock-changes.test.ts.
test.each(ZONES)(
  '%s: around each change of the clock, 2020-2040, as an independent reading says',
  (timeZone) => {
    const read = clockOf(timeZone);
    for (const [index, change] of changesOf(read, FROM, TO).entries()) {
      const record = recordClock(read, change - 4 * DAY, change + 4 * DAY);
      const near = { from: change - DAY, to: change + DAY };
      // Each change sees some of the rules; over the years each rule sees each kind of change.
      const rule = RULES[index % RULES.length] ?? EVERY_MINUTE;
      const dst = DST_RULES[index % DST_RULES.length] ?? AUTO;
      const about = `${timeZone} ${new Date(change).toISOString()} ${JSON.stringify({ rule, dst })}`;
      const { expected, difference } = compare(record, { timeZone, rule, dst, ...near });
      expect(difference, about).toBe('');
      // Asked from anywhere, by a recurrence that knows nothing yet, the answer is the same.
      for (let after = near.from; after < near.to; after += 9 * HOUR + 1) {
        const fresh = createRecurrence({ when: rule.when, timeZone, dst, anchor: 0 });
        const next = expected.find((time) => time > after);
        if (next !== undefined) expect(fresh.next(after), `${about} after ${after}`).toBe(next);
      }
      const close = compare(record, {
        timeZone,
        rule: EVERY_MINUTE,
        dst: AUTO,
        from: change - 3 * HOUR,
        to: change + 3 * HOUR,
      });
      expect(close.difference, about).toBe('');
    }
  },
);

test('at random, far from the changes as well', () => {
  const day = fc.integer({ min: Math.floor(FROM / DAY), max: Math.floor(TO / DAY) });
  const some = [
    fc.constantFrom(...ZONES),
    day,
    fc.constantFrom(...RULES),
    fc.constantFrom(...DST_RULES),
  ] as const;
  fc.assert(
    fc.property(...some, (timeZone, number, rule, dst) => {
      const from = number * DAY;
      const record = recordClock(clockOf(timeZone), from - 4 * DAY, from + 5 * DAY);
      expect(compare(record, { timeZone, rule, dst, from, to: from + DAY }).difference).toBe('');
    }),
    { numRuns: 200 },
  );
});

test('a day that a clock leaves out (Samoa, 30 December 2011) is shifted as a gap', () => {
  const record = recordClock(clockOf('Pacific/Apia'), Date.UTC(2011, 11, 20), Date.UTC(2012, 0, 10));
  for (const rule of RULES) {
    for (const dst of DST_RULES) {
      const { difference } = compare(record, { timeZone: 'Pacific/Apia', rule, dst });
      expect(difference, JSON.stringify({ rule, dst })).toBe('');
    }
  }
});

test('the oracle itself: Paris on the two days of 2026', () => {
  const read = clockOf('Europe/Paris');
  const fires = ({ hour, minute }: { hour: number; minute: number }) => hour === 2 && minute === 30;
  const on = (day: string, both: boolean, gap: 'shift' | 'skip') => {
    const from = Date.parse(`${day}T00:00:00Z`);
    const record = recordClock(read, from - 4 * DAY, from + 5 * DAY);
    return firesBetween(record, { from, to: from + DAY, gap, both, fires }).map((time) =>
      new Date(time).toISOString().slice(11, 16),
    );
  };
  expect(on('2026-03-29', false, 'shift')).toEqual(['01:30']);
  expect(on('2026-03-29', false, 'skip')).toEqual([]);
  expect(on('2026-10-25', false, 'shift')).toEqual(['00:30']);
  expect(on('2026-10-25', true, 'shift')).toEqual(['00:30', '01:30']);
});
