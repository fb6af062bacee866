import { expect, test } from 'vitest';
import { OCCURRENCE_STATES, OVERLAP_RULES, SCHEDULE_DEFAULTS } from './schedule.ts';

test('the defaults are those that the interface promises', () => {
  expect(SCHEDULE_DEFAULTS).toEqual({ timeZone: 'UTC', overlap: 'skip', catchUp: 'latest' });
  expect(OVERLAP_RULES).toContain(SCHEDULE_DEFAULTS.overlap);
  expect(OCCURRENCE_STATES).toEqual(['due', 'dispatched', 'buffered', 'skipped', 'missed']);
});
