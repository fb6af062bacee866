import { afterEach, describe, expect, test } from 'vitest';
import { readMetrics } from '../../../../test/support/metrics.ts';
import { createCells } from './cells.ts';
import { Histogram } from './histogram.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Readings } from './reading.ts';

let metrics: Metrics | undefined;
const make = (...reads: (() => Readings | Promise<Readings>)[]): Metrics => {
  metrics = createMetrics({ app: 'worker' });
  for (const read of reads) metrics.observe(read);
  return metrics;
};
afterEach(() => {
  metrics?.stop();
  metrics = undefined;
});

describe('the page', () => {
  test('says how the process is', async () => {
    const { page } = make();
    const found = readMetrics(await page());
    expect(found.sum('jetbeat_build_info', { app: 'worker', node: process.versions.node })).toBe(1);
    expect(found.sum('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(found.sum('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(found.sum('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000);
    expect(Math.abs(found.sum('process_start_time_seconds') - performance.timeOrigin / 1_000)).toBeLessThan(
      1,
    );
    expect(found.sum('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(found.sum('nodejs_active_resources')).toBeGreaterThan(0);
  });

  test('reads what counts with every scrape, and keeps what stands in labels apart', async () => {
    const cells = createCells<'queue' | 'task', Histogram>({ open: 'task', make: () => new Histogram() });
    const taken = createCells<'queue', number>({ open: 'queue', make: () => 0 });
    const { page } = make(() => ({
      jetbeat_worker_run_seconds: cells.all,
      jetbeat_worker_jobs_taken_total: taken.all,
      jetbeat_worker_jobs_held: 7,
    }));
    const odd = { queue: 'a"b\\c\nd', task: 'x' };
    for (const value of [0, 0.001, 0.002, 4_000, -1, Number.NaN]) cells.of(odd).value.record(value);
    taken.of({ queue: 'q' }).value += 3;
    const first = readMetrics(await page());
    expect(first.sum('jetbeat_worker_jobs_held')).toBe(7);
    expect(first.sum('jetbeat_worker_run_seconds_count', odd)).toBe(6);
    expect(first.sum('jetbeat_worker_run_seconds_sum', odd)).toBeCloseTo(4_000.003);
    expect(first.sum('jetbeat_worker_run_seconds_bucket', { ...odd, le: '0.001' })).toBe(4);
    expect(first.sum('jetbeat_worker_run_seconds_bucket', { ...odd, le: '3600' })).toBe(5);
    taken.of({ queue: 'q' }).value += 1;
    expect(readMetrics(await page()).sum('jetbeat_worker_jobs_taken_total', { queue: 'q' })).toBe(4);
  });

  test('is there without what throws or does not answer in time, and counts that', async () => {
    const { page } = make(
      () => {
        throw new Error('broken');
      },
      () => new Promise(() => {}),
      () => ({ jetbeat_worker_slots: 2 }),
    );
    const found = readMetrics(await page());
    expect(found.sum('jetbeat_worker_slots')).toBe(2);
    expect(found.sum('jetbeat_scrape_failures_total')).toBe(2);
  });

  test('is made once for all who ask at the same time', async () => {
    let reads = 0;
    const { page } = make(() => {
      reads += 1;
      return {};
    });
    const pages = await Promise.all(Array.from({ length: 100 }, () => page()));
    expect(new Set(pages).size).toBe(1);
    expect(reads).toBe(1);
    await page();
    expect(reads).toBe(2);
  });

  test('leaves out what is not known, and refuses a value of the wrong kind', async () => {
    const { page } = make(() => ({ jetbeat_worker_slots: undefined }));
    expect(readMetrics(await page()).families.has('jetbeat_worker_slots')).toBe(false);
    metrics?.observe(() => ({ jetbeat_worker_slots: new Histogram() }));
    await expect(page()).rejects.toThrow('a histogram was read where the table of instruments has a number');
  });
});

test('a flood of names does not become a flood of series', () => {
  const cells = createCells<'queue' | 'status', number>({ open: 'queue', make: () => 0, max: 3 });
  for (let index = 0; index < 1_000; index++) {
    cells.of({ queue: `q${index}`, status: 'ok' }).value += 1;
    cells.of({ queue: `q${index}`, status: 'failed' }).value += 1;
  }
  expect(cells.all.map(({ labels, value }) => [labels.queue, labels.status, value])).toEqual([
    ['q0', 'ok', 1],
    ['q0', 'failed', 1],
    ['q1', 'ok', 1],
    ['other', 'failed', 999],
    ['other', 'ok', 998],
  ]);
});
