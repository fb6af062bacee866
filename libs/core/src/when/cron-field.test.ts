import { expect, test } from 'vitest';
import { parseCron } from './cron.ts';

test.each([
  ['61 * * * *', 'minute 61 is out of 0-59'],
  ['99 0 0 * * *', 'second 99 is out of 0-59'],
  ['0 9 * * FRIDAY', 'day of week: write FRI or 5'],
  ['0 9 1 march *', 'month: write MAR or 3'],
  ['0 9 * * MON-FRY', 'day of week "MON-FRY" cannot be read'],
  ['0 9 * * FRI-MON', 'day of week "FRI-MON": a range runs backwards, write it as two'],
  ['0 9 * * 8', 'day of week 8 is out of 0-7'],
  ['0 9 0 * *', 'day of month 0 is out of 1-31'],
  ['0 9 * 13 *', 'month 13 is out of 1-12'],
  ['0 24 * * *', 'hour 24 is out of 0-23'],
  ['*/0 * * * *', 'minute "*/0" cannot be read: it takes *, 0-59, lists (1,3), ranges (1-5), steps (*/5)'],
  ['1-5/0 * * * *', 'minute "1-5/0" cannot be read'],
  ['0 0 * * MON#9', 'day of week "MON#9" cannot be read'],
  ['0 0 W * *', 'day of month "W" cannot be read'],
  ['@reboot', 'a schedule knows no reboot: write a time, or enqueue the job when you start'],
  ['@dialy', 'did you mean @daily?'],
  ['@every 5m', 'of names it knows @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly'],
  ['0 0 32W * *', 'day of month 32 is out of 1-31'],
  ['* * *', 'it has 3 fields: write five fields (minute hour day month weekday), or six with seconds first'],
  ['hourly', 'it has 1 field: write'],
  ['0 H * * *', '"H" (a drawn value) is not supported'],
])('%s: %s', (cron, message) => {
  expect(() => parseCron(cron)).toThrow(`${JSON.stringify(cron)} is not a cron expression: ${message}`);
});

test('what is very long is cut', () => {
  expect(() => parseCron(`${'9'.repeat(200)} * * * *`)).toThrow(`minute ${'9'.repeat(32)} is out of 0-59`);
  expect(() => parseCron(`* * * * ${'?'.repeat(200)}`)).toThrow(`day of week "${'?'.repeat(32)}" cannot`);
});
