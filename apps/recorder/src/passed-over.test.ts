import { expect, test } from 'vitest';
import { createPassedOver } from './passed-over.ts';

test('what was passed over is known until other queues are paused', () => {
  const passed = createPassedOver();
  passed.see(new Set(['a', 'b']));
  passed.note('key', 7);
  passed.note('other', 1);
  expect([passed.of('key'), passed.of('other')]).toEqual([7, undefined]);
  passed.see(new Set(['b', 'a']));
  expect(passed.of('key')).toBe(7);
  passed.see(new Set(['a']));
  expect(passed.of('key')).toBeUndefined();
});
