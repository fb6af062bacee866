import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { MAX_CRON_LENGTH, parseCron } from './cron.ts';
import { nextLocal } from './cron-times.ts';

/** The next `count` readings of a wall clock on which the expression fires, after `from` (ISO without zone). */
function readings(cron: string, from: string, count: number): string[] {
  const pattern = parseCron(cron);
  const found: string[] = [];
  for (
    let local = nextLocal(pattern, Date.parse(`${from}Z`));
    local !== undefined && found.length < count;
  ) {
    found.push(new Date(local).toISOString().slice(0, 19));
    local = nextLocal(pattern, local);
  }
  return found;
}

test.each([
  ['5 4 * * *', '2026-01-01T04:05:00', ['2026-01-02T04:05:00', '2026-01-03T04:05:00']],
  [
    '*/20 9-10 * * *',
    '2026-01-01T09:25:00',
    ['2026-01-01T09:40:00', '2026-01-01T10:00:00', '2026-01-01T10:20:00'],
  ],
  ['10,40 30 6 * * *', '2026-01-01T06:30:10', ['2026-01-01T06:30:40', '2026-01-02T06:30:10']],
  ['0 0 1 jan,JUL *', '2026-01-01T00:00:00', ['2026-07-01T00:00:00', '2027-01-01T00:00:00']],
  ['0 0 L * *', '2028-02-01T00:00:00', ['2028-02-29T00:00:00', '2028-03-31T00:00:00']],
  ['0 0 29 2 *', '2097-01-01T00:00:00', ['2104-02-29T00:00:00']],
  ['0 0 * * 7', '2026-01-01T00:00:00', ['2026-01-04T00:00:00', '2026-01-11T00:00:00']],
  ['0 0 * * thu#5', '2026-01-01T00:00:00', ['2026-01-29T00:00:00', '2026-04-30T00:00:00']],
  ['0 0 * * 7L', '2026-01-01T00:00:00', ['2026-01-25T00:00:00', '2026-02-22T00:00:00']],
  ['@yearly', '2026-01-01T00:00:00', ['2027-01-01T00:00:00', '2028-01-01T00:00:00']],
  ['@Annually', '2026-01-01T00:00:00', ['2027-01-01T00:00:00']],
  ['@monthly', '2026-01-01T00:00:00', ['2026-02-01T00:00:00', '2026-03-01T00:00:00']],
  ['@weekly', '2026-01-01T00:00:00', ['2026-01-04T00:00:00', '2026-01-11T00:00:00']],
  [' @daily ', '2026-01-01T00:00:00', ['2026-01-02T00:00:00']],
  ['@midnight', '2026-01-01T00:00:00', ['2026-01-02T00:00:00']],
  ['@hourly', '2026-01-01T00:00:00', ['2026-01-01T01:00:00', '2026-01-01T02:00:00']],
  ['0 0 * * 5L', '2026-01-01T00:00:00', ['2026-01-30T00:00:00', '2026-02-27T00:00:00']],
])('%s after %s', (cron, from, expected) => {
  expect(readings(cron, from, expected.length)).toEqual(expected);
});

test('either day field is enough when both are restricted, as crontab(5) says', () => {
  expect(readings('0 0 13 * 5', '2026-02-06T00:00:00', 4)).toEqual([
    '2026-02-13T00:00:00',
    '2026-02-20T00:00:00',
    '2026-02-27T00:00:00',
    '2026-03-06T00:00:00',
  ]);
  // A day that its month does not have takes nothing from the other field.
  expect(readings('0 0 30,31 2 1', '2026-02-01T00:00:00', 2)).toEqual([
    '2026-02-02T00:00:00',
    '2026-02-09T00:00:00',
  ]);
});

test('both day fields must match when one of them begins with a star', () => {
  expect(readings('0 0 */2 * 1', '2026-06-01T00:00:00', 2)).toEqual([
    '2026-06-15T00:00:00',
    '2026-06-29T00:00:00',
  ]);
  expect(readings('0 0 1 * ?', '2026-06-01T00:00:00', 1)).toEqual(['2026-07-01T00:00:00']);
});

test('a day that no calendar has is never found', () => {
  expect(readings('0 0 31 2 *', '2026-01-01T00:00:00', 1)).toEqual([]);
  expect(readings('0 0 30 2 *', '2026-01-01T00:00:00', 1)).toEqual([]);
});

test.each([
  '',
  '* * * *',
  '* * * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  'a * * * *',
  '*/0 * * * *',
  '5-1 * * * *',
  'H * * * *',
  '0,H/3 * * * *',
  '@reboot',
  '@constructor',
  '* * * * mon#9',
  '* '.repeat(MAX_CRON_LENGTH),
])('%j is refused with its reason', (cron) => {
  const refused = (() => {
    try {
      return parseCron(cron, '/when/cron');
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(InvalidInputError);
  expect((refused as InvalidInputError).issues).toMatchObject([
    { pointer: '/when/cron', code: 'invalid_cron' },
  ]);
  expect((refused as InvalidInputError).message.length).toBeLessThan(2 * MAX_CRON_LENGTH + 300);
});
