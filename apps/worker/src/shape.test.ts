import { expect, test } from 'vitest';
import { Shape } from './shape.ts';

test('what is different is said to be, and what is the same is not', () => {
  const shape = new Shape({ concurrency: 2, queues: ['a', 'b'] });
  expect(shape.set({ concurrency: 2, queues: ['b', 'a'] })).toBe(false);
  expect(shape.set({ concurrency: 3 })).toBe(true);
  expect(shape.set({ queues: ['a'] })).toBe(true);
  expect([shape.concurrency, shape.queues, shape.serves('b'), shape.takes('a')]).toEqual([
    3,
    ['a'],
    false,
    true,
  ]);
  expect(shape.set({ draining: true })).toBe(true);
  expect([shape.serves('a'), shape.takes('a'), shape.draining]).toEqual([true, false, true]);
});
