import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.UTC(2026, 0, 1);
const date = 'Thu, 01 Jan 2026 00:00:00 GMT';

test.each([
  ['1', 1_000],
  [' 120 ', 120_000],
  ['999999999', 3_600_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thu, 01 Jan 2027 00:00:00 GMT', 3_600_000],
  ['0', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['Wed, 31 Dec 2025 23:59:59 GMT', undefined],
  ['2026-01-01T01:00:00Z', undefined],
  ['99999999999999999999', undefined],
  ['Thu, 99 Jan 2026 00:00:30 GMT', undefined],
  ['tomorrow', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is %s ms', (value, delay) => {
  expect(retryAfterMs({ value, date, now: NOW })).toBe(delay);
});

test("a date is counted from the answer's own, else from our clock", () => {
  const value = 'Thu, 01 Jan 2026 00:00:30 GMT';
  expect(retryAfterMs({ value, date, now: NOW + 25_000 })).toBe(30_000);
  expect(retryAfterMs({ value, date: undefined, now: NOW + 25_000 })).toBe(5_000);
  expect(retryAfterMs({ value, date: 'today', now: NOW + 25_000 })).toBe(5_000);
});
