import type { ScheduleSpec } from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { explainNothing } from './explain-nothing.ts';

const MADE = Date.UTC(2026, 0, 1);
const NOW = Date.UTC(2026, 10, 1);

function schedule(spec: Partial<ScheduleSpec>, fields: Partial<ScheduleRecord> = {}): ScheduleRecord {
  const definition: ScheduleSpec = {
    name: 'n',
    when: { cron: '30 2 * * *' },
    timeZone: 'Europe/Paris',
    job: { task: 't', input: 1 },
    overlap: 'skip',
    catchUp: 'latest',
    ...spec,
  };
  const times = { createdAt: MADE, updatedAt: MADE, cursor: NOW };
  return { id: 'i', name: 'n', definition, version: 1, runs: 0, ...times, ...fields };
}

function why(from: string, to: string, of = schedule({})): string {
  return explainNothing(of, { from: Date.parse(from), to: Date.parse(to), now: NOW });
}

test('between two of its times, both are named, as the clock of its zone has them too', () => {
  expect(why('2026-05-04T03:00:00Z', '2026-05-04T04:00:00Z')).toBe(
    'its rule has no time then: the last one before is 2026-05-04T00:30:00.000Z (2026-05-04 02:30:00 in Europe/Paris), the first one after is 2026-05-05T00:30:00.000Z (2026-05-05 02:30:00 in Europe/Paris)',
  );
  const seconds = schedule({ when: { every: 1_000 }, timeZone: 'UTC' });
  expect(why('2026-05-04T03:00:00.100Z', '2026-05-04T03:00:00.900Z', seconds)).toBe(
    'its rule has no time then: the last one before is 2026-05-04T03:00:00.000Z, the first one after is 2026-05-04T03:00:01.000Z',
  );
  const once = schedule({ when: { at: Date.UTC(2026, 4, 4) }, timeZone: 'UTC' });
  expect(why('2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z', once)).toMatch(
    /the last one before is 2026-05-04T00:00:00.000Z, none comes after it$/,
  );
});

test('a time that the clock jumps over is named, where the schedule leaves it out', () => {
  const skips = schedule({ dst: { gap: 'skip', fold: 'auto' } });
  expect(why('2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z', skips)).toMatch(
    /^the clock of Europe\/Paris jumps over a time of its rule at 2026-03-29T01:/,
  );
});

test.each([
  ['turned around', '2026-05-05T00:00:00Z', '2026-05-04T00:00:00Z', {}, '"from" is after "to"'],
  ['before it was made', '2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z', {}, 'was made later'],
  ['to come', '2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z', {}, 'still to come'],
  ['finished', '2026-10-01T00:00:00Z', '2026-10-02T00:00:00Z', { finishedAt: MADE }, 'had no time left'],
  ['changed since', '2026-05-01T00:00:00Z', '2026-05-02T00:00:00Z', { version: 2 }, 'was last changed at'],
  ['not written yet', '2026-05-01T00:00:00Z', '2026-05-02T00:00:00Z', {}, 'is not written yet'],
  ['unreadable', '2026-05-01T00:00:00Z', '2026-05-02T00:00:00Z', { problem: 'bad' }, 'cannot be read: bad'],
])('%s', (_name, from, to, fields, words) => {
  expect(why(from, to, schedule({}, fields))).toContain(words);
});
