import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { ownTrace, uuidV7From } from '@jetbeat/core';
import type { Bus } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { keepJobs } from './kept-jobs.ts';
import type { EnqueuedJob } from './prepare.ts';

const bus = {} as Bus;
const jobs = (count: number, traces: (place: number) => string | undefined): EnqueuedJob[] =>
  Array.from({ length: count }, (_, place) => {
    const id = uuidV7From(Date.now(), randomUUID());
    return { id, task: 'a.b', traceId: traces(place) ?? ownTrace(id).traceId, warnings: [], created: true };
  });

test('kept jobs say the same as the ones that they were made of', () => {
  const given = jobs(1_000, (place) => (place % 3 === 0 ? `${place}`.padStart(32, 'a') : undefined));
  const kept = keepJobs('a.b', given, bus);
  expect(
    kept.map(({ id, task, traceId, warnings, created }) => ({ id, task, traceId, warnings, created })),
  ).toEqual(given);
  expect(JSON.parse(JSON.stringify(kept))).toEqual(given);
  expect(inspect(kept[1])).toBe(inspect(given[1]));
  const own = jobs(3, () => undefined);
  expect(JSON.parse(JSON.stringify(keepJobs('a.b', own, bus)))).toEqual(own);
  expect(keepJobs('a.b', [], bus)).toEqual([]);
});
