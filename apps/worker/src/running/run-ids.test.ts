import { isUuid } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { createRunIds } from './run-ids.ts';

test('ids are UUIDv7 of their time, all different, and of no other worker', () => {
  const one = createRunIds();
  const other = createRunIds();
  const ids = Array.from({ length: 5_000 }, (_, place) =>
    (place % 2 ? one : other)(1_763_641_036_000 + place / 10),
  );
  expect(new Set(ids).size).toBe(5_000);
  for (const id of ids) {
    expect(isUuid(id) && id[14] === '7' && '89ab'.includes(id[19] ?? '')).toBe(true);
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBeGreaterThanOrEqual(1_763_641_036_000);
  }
});

test('the count goes round', () => {
  const make = createRunIds(new Uint8Array(10).fill(0xff));
  expect([make(1), make(1)]).toEqual([
    ...['00000000-0001-7fff-bfff-ffff00000000', '00000000-0001-7fff-bfff-ffff00000001'],
  ]);
});
