import { expect, test } from 'vitest';
import { clockOf, recordClock, ZONES } from '../support/clock-oracle.ts';
import { compare, DST_RULES, EVERY_MINUTE, RULES } from '../support/when-sweep.ts';

const DAY = 86_400_000;
const STRETCH = 90 * DAY;
const FROM = Date.UTC(2020, 0, 1);
const TO = Date.UTC(2041, 0, 1);

test.each(ZONES)(
  '%s: every minute of 2020-2040, as an independent reading says',
  (timeZone) => {
    const read = clockOf(timeZone);
    let compared = 0;
    for (let from = FROM; from < TO; from += STRETCH) {
      const record = recordClock(read, from - 4 * DAY, from + STRETCH + 4 * DAY);
      const turn = Math.round((from - FROM) / STRETCH);
      // Over the years each rule sees each kind of change.
      for (const rule of [EVERY_MINUTE, RULES[turn % RULES.length] ?? EVERY_MINUTE]) {
        const dst = DST_RULES[turn % DST_RULES.length] ?? { gap: 'shift', fold: 'auto' };
        const { expected, difference } = compare(record, { timeZone, rule, dst });
        expect(difference, JSON.stringify({ rule, dst })).toBe('');
        compared += expected.length;
      }
    }
    expect(compared).toBeGreaterThan(11_000_000);
  },
  600_000,
);
