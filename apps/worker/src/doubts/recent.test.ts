import { expect, test } from 'vitest';
import { createRecent } from './recent.ts';

const id = '01900000-0000-7000-8000-00000000000a';
const other = '01900000-0000-7000-8000-00000000000b';

test('a settled message is known again; its neighbours and another job with its sequence are not', () => {
  const recent = createRecent({ keepMs: 1_000, now: () => 0 });
  expect(recent.has(7, id)).toBe(false);
  recent.add(7, id);
  recent.add(8, '01900000-0000-7000-8000-000000000000');
  expect([recent.has(7, id), recent.has(6, id), recent.has(8, id), recent.has(7, other)]).toEqual([
    ...[true, false, false, false],
  ]);
  expect(recent.has(8, '01900000-0000-7000-8000-000000000000')).toBe(true);
});

test('it forgets after its time', () => {
  let now = 0;
  const recent = createRecent({ keepMs: 1_000, now: () => now });
  recent.add(7, id);
  now = 1_000;
  expect(recent.has(7, id)).toBe(true);
  now = 1_001;
  expect(recent.has(7, id)).toBe(false);
});

test('a million messages, in any order, take little room', () => {
  let now = 0;
  const recent = createRecent({ keepMs: 60_000, now: () => now });
  const before = process.memoryUsage().arrayBuffers;
  for (let seq = 1_000_000; seq > 0; seq--) recent.add(seq, id);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * 1024 ** 2);
  expect(recent.has(1, id) && recent.has(1_000_000, id)).toBe(true);
  // However fast they come, the oldest are forgotten in time.
  for (let seq = 2_000_000; seq < 12_000_000; seq += 4_096) recent.add(seq, id);
  expect([recent.has(1_000_000, id), recent.has(2_000_000, id)]).toEqual([false, false]);
  now = 70_000;
  recent.add(20_000_000, id);
  expect(recent.has(11_997_952, id)).toBe(false);
});
