import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

test('jobs that take longer than a pull are held one per slot', () => {
  const pace = createPace({ concurrency: 10 });
  expect(pace.limit()).toBe(10);
  for (let run = 0; run < 200; run++) pace.ran(1_000);
  expect(pace.limit()).toBe(10);
});

test('short jobs are held in a bounded multiple, and long ones end that again', () => {
  const pace = createPace({ concurrency: 10 });
  for (let run = 0; run < 500; run++) pace.ran(0);
  expect(pace.limit()).toBe(640);
  for (let run = 0; run < 20; run++) pace.ran(500);
  expect(pace.limit()).toBe(10);
});

test('many slots hold no more than a thousand in advance', () => {
  const pace = createPace({ concurrency: 500 });
  for (let run = 0; run < 500; run++) pace.ran(0);
  expect(pace.limit()).toBe(1_500);
});

test('a job that had to wait says that jobs are longer than was measured', () => {
  const pace = createPace({ concurrency: 10 });
  for (let run = 0; run < 500; run++) pace.ran(0);
  pace.slow(250);
  expect(pace.limit()).toBe(10);
  pace.slow(1);
  expect(pace.limit()).toBe(10);
});
