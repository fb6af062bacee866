import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DURATION_PATTERN,
  durationMeant,
  formatDuration,
  MAX_DURATION_MS,
  parseDuration,
} from './duration.ts';
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

test.each([
  [10, '10s'],
  ['10', '10s'],
  [' 1.5 Hours', '1.5h'],
  ['5 s', '5s'],
  ['5min', '5m'],
  ['250 millis', '250ms'],
  ['2days', '2d'],
  ['minute', '1m'],
  ['hourly', undefined],
  ['1h30m', undefined],
  ['3 weeks', undefined],
  ['99999d', undefined],
  [`5${' '.repeat(40)}s`, undefined],
  ['', undefined],
  [null, undefined],
  [{}, undefined],
])('%j was probably meant to be %s', (written, meant) => {
  expect(durationMeant(written)).toBe(meant);
  if (meant !== undefined) expect(parseDuration(meant)).toBeGreaterThan(0);
});

test('the error of a duration says what was meant, else how one is written', () => {
  const issue = (text: string) => {
    try {
      return { ms: parseDuration(text, '/delay') };
    } catch (error) {
      return (error as InvalidInputError).issues[0];
    }
  };
  expect(issue('10')).toEqual({
    pointer: '/delay',
    code: 'invalid_duration',
    suggestion: '10s',
    message: expect.stringContaining('at most 3650d; did you mean "10s"?'),
  });
  expect(issue('1h30m')).toEqual({
    pointer: '/delay',
    code: 'invalid_duration',
    message: expect.stringContaining('at most 3650d, e.g. "90s"'),
  });
});

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
