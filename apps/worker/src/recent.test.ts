import { expect, test } from 'vitest';
import { createRecent } from './recent.ts';

const id = '01900000-0000-7000-8000-000000000001';
const first = { attempt: 1, run: 1, parks: 0 };

test('a settled step is known again, an earlier one too, a later one not', () => {
  const recent = createRecent({ keepMs: 1_000, now: () => 0 });
  expect(recent.has(id, first)).toBe(false);
  recent.add(id, { attempt: 2, run: 3, parks: 0 });
  expect(recent.has(id, { attempt: 2, run: 3, parks: 0 })).toBe(true);
  expect(recent.has(id, first)).toBe(true);
  expect(recent.has(id, { attempt: 2, run: 4, parks: 0 })).toBe(false);
  expect(recent.has(id, { attempt: 3, run: 4, parks: 0 })).toBe(false);
});

test('it forgets after its time', () => {
  let now = 0;
  const recent = createRecent({ keepMs: 1_000, now: () => now });
  recent.add(id, first);
  now = 2_000;
  recent.add('01900000-0000-7000-8000-000000000002', first);
  expect(recent.has(id, first)).toBe(false);
});
