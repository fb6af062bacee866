import { expect, test } from 'vitest';
import { best, figuresInWords, settingsInWords, sizeOf } from './choose-settings.ts';
import { graphileWorker } from './graphile-worker.ts';

test('the fastest trial is chosen, and of equals the first', () => {
  const trials = [
    { name: 'slow', score: -3 },
    { name: 'fast', score: -1 },
    { name: 'as fast', score: -1 },
  ];
  expect(best(trials).name).toBe('fast');
  expect(() => best([])).toThrow('nothing to choose from');
});

test('a run has a fifth more jobs to warm up; trials and quick runs are smaller', () => {
  const of = (row: 'bulk' | 'latency', quick: boolean, part?: number) =>
    sizeOf({ competitor: graphileWorker, row, quick }, part);
  expect(of('bulk', false)).toEqual({ jobs: 250_000, warmup: 50_000 });
  expect(of('bulk', false, 1 / 4)).toEqual({ jobs: 62_500, warmup: 12_500 });
  expect(of('bulk', true)).toEqual({ jobs: 5000, warmup: 1000 });
  expect(of('latency', false)).toEqual({ jobs: 1200, warmup: 200 });
});

test('settings and figures are told in words', () => {
  expect(settingsInWords({ batch: 500, grouped: false })).toBe('batch 500, grouped false');
  expect(figuresInWords('drain', { seconds: 2 }, { jobs: 30_000, warmup: 0 })).toBe(
    '15,000 jobs/s (30000 in 2.00 s)',
  );
  expect(figuresInWords('latency', { p50: 1, p99: 2.345 }, { jobs: 1, warmup: 0 })).toBe(
    'p50 1.00 ms, p99 2.35 ms',
  );
});
