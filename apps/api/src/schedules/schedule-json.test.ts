import type { ScheduleSpec } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { scheduleJson } from './schedule-json.ts';

const NOW = Date.UTC(2026, 4, 4);

function windowOf(spec: Partial<ScheduleSpec>, paused = false): string {
  const definition: ScheduleSpec = {
    name: 'n',
    when: { every: 60_000 },
    timeZone: 'UTC',
    job: { task: 't', input: 1 },
    overlap: 'skip',
    catchUp: 'latest',
    ...spec,
  };
  const times = { createdAt: NOW, updatedAt: NOW, cursor: NOW, version: 1, runs: 0 };
  const pause = paused ? { paused: { by: 'me', since: NOW } } : {};
  return scheduleJson({ id: 'i', name: 'n', definition, ...times, ...pause }, NOW, undefined).catchUpWindow;
}

test('a schedule shows how late a missed time may be, whether it says so or not', () => {
  expect(windowOf({ catchUpWindow: 7_200_000 })).toBe('2h');
  expect(windowOf({})).toBe('1m');
  expect(windowOf({}, true)).toBe('1m');
  expect(windowOf({ when: { cron: '0 3 * * *' } })).toBe('1h');
  expect(windowOf({ when: { at: NOW + 1 } })).toBe('1h');
  expect(windowOf({ when: { at: NOW - 1 } })).toBe('1h');
  expect(windowOf({ catchUp: { all: 3 } })).toBe('1h');
});
