import { expect, test } from 'vitest';
import { defineTask } from './define-task.ts';

const run = () => {};

test('a task says where its handler runs, and what is wrong about that is refused', () => {
  const isolation = { kind: 'process', maxJobs: 100, maxMemory: '400MiB' } as const;
  expect(defineTask({ name: 'a', run, isolation }).isolation).toEqual({
    kind: 'process',
    maxJobs: 100,
    maxMemory: 400 * 1024 ** 2,
  });
  expect(() => defineTask({ name: 'a', run, isolation: 'fork' as 'thread' })).toThrow('isolation');
});
