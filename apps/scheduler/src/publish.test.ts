import { occurrenceJobId } from '@jetbeat/core';
import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import { BusClosedError } from '@jetbeat/jetstream';
import type { NewJob } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createPublishing, type PublishingParams } from './publish.ts';

function jobs(count: number, from = 0): NewJob[] {
  return Array.from({ length: count }, (_, index) => ({
    envelope: {
      ...{
        v: 1,
        id: occurrenceJobId('s', from + index, 'plan'),
        task: 't',
        queue: 'q',
        priority: 'normal',
        input: null,
      },
      ...{ createdAt: 1, runAt: 1, attempt: 1, run: 1, parks: 0 },
    },
    ...{ traceparent: '', state: 'queued', totalLimitMs: 1, origin: 'plan' },
  }));
}

function bench(change: Partial<PublishingParams> = {}) {
  const windows: number[] = [];
  const noted: { id: string; seq?: number }[] = [];
  const warnings: string[] = [];
  const publishing = createPublishing({
    publish: async (items: readonly JobToPublish[]): Promise<PublishResult[]> => {
      windows.push(items.length);
      return items.map((_, index) => ({ ok: true, seq: index + 1, duplicate: false, delayed: false }));
    },
    notePublished: async (rows) => {
      noted.push(...rows);
    },
    isConnected: () => true,
    log: { warn: (_data: unknown, text?: string) => void warnings.push(text ?? '') },
    ...change,
  });
  return { publishing, windows, noted, warnings };
}

test('jobs go out in windows of 500, and each is noted with its sequence', async () => {
  const { publishing, windows, noted } = bench();
  publishing.add(jobs(700));
  publishing.add(jobs(600, 700));
  await publishing.stop(1_000);
  expect(windows).toEqual([500, 500, 300]);
  expect(noted).toHaveLength(1_300);
  expect(noted[0]).toEqual({ id: occurrenceJobId('s', 0, 'plan'), seq: 1 });
  publishing.add(jobs(1));
  expect(publishing.waiting).toBe(0);
});

test('what cannot be published is left to the recorder, and not noted', async () => {
  const refused = bench({
    publish: async (items) => items.map(() => ({ ok: false, error: new BusClosedError() })),
  });
  refused.publishing.add(jobs(2));
  await refused.publishing.stop(1_000);
  expect(refused.noted).toEqual([]);
  expect(refused.warnings).toEqual(['dispatched jobs could not be published: the recorder will']);

  const away = bench({ isConnected: () => false });
  away.publishing.add(jobs(2));
  await away.publishing.stop(1_000);
  expect(away.windows).toEqual([]);
  expect(away.warnings).toEqual(['dispatched jobs are left to the recorder to publish']);
});

test('it holds a bounded number of jobs, and a stop does not wait for ever', async () => {
  const { publishing, warnings } = bench({ publish: () => new Promise(() => {}) });
  publishing.add(jobs(500));
  publishing.add(jobs(9_900));
  expect(publishing.waiting).toBe(9_900);
  publishing.add(jobs(200, 20_000));
  expect(publishing.waiting).toBe(200);
  await publishing.stop(20);
  expect(publishing.waiting).toBe(0);
  expect(warnings).toHaveLength(2);
});

test('one failure does not stop the next jobs', async () => {
  let calls = 0;
  const { publishing, noted } = bench({
    notePublished: async (rows) => {
      calls += 1;
      if (calls === 1) throw new Error('PostgreSQL is away');
      noted.push(...rows);
    },
  });
  publishing.add(jobs(1));
  await expect.poll(() => calls).toBe(1);
  publishing.add(jobs(1, 5));
  await expect.poll(() => noted.length).toBe(1);
  await publishing.stop(1_000);
});
