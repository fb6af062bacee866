import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURATION_PATTERN, formatDuration, MAX_DURATION_MS, parseDuration } from './duration.ts';
import { InvalidInputError } from './errors.ts';

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['1.5s', 1_500],
  ['90s', 90_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['3650d', MAX_DURATION_MS],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '-5s', '5 s', '1e3s', '5S', '1s1s', '3651d', '9999999999999s', '.5s'])(
  '%j is refused with its place',
  (text) => {
    expect(() => parseDuration(text, '/delay')).toThrow(InvalidInputError);
    expect(() => parseDuration(text, '/delay')).toThrow(
      expect.objectContaining({
        issues: [expect.objectContaining({ pointer: '/delay', code: 'invalid_duration' })],
      }),
    );
  },
);

test('what is written is read back as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
      const text = formatDuration(ms);
      expect(parseDuration(text)).toBe(ms);
      expect(text).toMatch(new RegExp(DURATION_PATTERN));
    }),
  );
});

test('the largest unit that fits exactly is written', () => {
  expect([0, 1, 1_000, 90_000, 60_000, 7_200_000, 86_400_000].map(formatDuration)).toEqual([
    '0ms',
    '1ms',
    '1s',
    '90s',
    '1m',
    '2h',
    '1d',
  ]);
});
