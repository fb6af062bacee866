import { expect, test } from 'vitest';
import { peerTable } from './peer-table.ts';
import type { PeerResult, RowResult, RunResult } from './result.ts';
import { processTable, resultTable, shown } from './table.ts';

const run: RunResult = {
  at: '2026-01-02T03:04:05.000Z',
  seconds: 2,
  figures: { rate: 50_000 },
  counts: [],
  processes: [{ name: 'worker', cpuSeconds: 1.5, peakBytes: 100 * 1024 ** 2 }],
};
const drain: RowResult = {
  row: 'drain',
  what: 'one worker drains',
  quick: false,
  runs: [run, run],
  machine: { cores: 2, cpu: 'c', memoryBytes: 1, platform: 'p', node: '24', nats: '2.15.1', postgres: '18' },
  measures: [
    { name: 'rate', unit: 'jobs/s', better: 'more', goal: 60_000, median: 50_000, range: [40_000, 60_000] },
  ],
};

/** The cells of a table, without the space that lines them up. */
function cells(table: string): string[][] {
  return table.split('\n').map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

test('a row says its median, its range, its goal, and whether that was met', () => {
  const [head, , line] = cells(resultTable([drain]));
  expect(head).toEqual(['row', 'what', 'measure', 'median', 'range', 'goal', 'ratio to goal']);
  expect(line).toEqual([
    ...['`drain`', 'one worker drains', '', '**50,000** jobs/s'],
    ...['40,000 – 60,000', '≥ 60,000', '0.83, missed'],
  ]);
});

test('where less is better, a goal is met from below', () => {
  const p50 = { name: 'p50', unit: 'ms', better: 'less', goal: 1, median: 0.5, range: [0.4, 0.6] } as const;
  const p99 = { name: 'p99', unit: 'ms', better: 'less', median: 2, range: [1, 3] } as const;
  const lines = cells(resultTable([{ ...drain, measures: [p50, p99] }]));
  expect(lines[2]?.slice(2)).toEqual(['p50', '**0.5** ms', '0.4 – 0.6', '≤ 1', '0.50']);
  expect(lines[3]).toEqual(['', '', 'p99', '**2** ms', '1 – 3', '', '']);
});

test('processes show the medians of what they used', () => {
  const other = { ...run, processes: [{ name: 'worker', cpuSeconds: 2.5, peakBytes: 300 * 1024 ** 2 }] };
  const [, , line] = cells(processTable([{ ...drain, runs: [run, other] }]));
  expect(line).toEqual(['`drain`', '2 s', 'worker', '2 s', '200 MiB']);
});

test('a peer stands beside our row, with a ratio that is above 1 where we are better', () => {
  const peer: PeerResult = {
    peer: 'Other',
    variant: 'fast',
    unit: 'jobs/s',
    runs: [25_000],
    version: '1.0',
    row: 'drain',
    settings: 'fsync on',
    chosen: 'batch 5',
  };
  const text = peerTable({ rows: [drain], peers: [peer, { ...peer, row: 'bulk' }] });
  expect(text.split('\n\n')[1]).toBe('- **Other**, fast: fsync on; drain: batch 5; bulk: batch 5');
  expect(cells(text).slice(2, 5)).toEqual([
    ['bulk', 'Other 1.0', 'fast', '25,000 jobs/s', '25,000 – 25,000', ''],
    ['drain', '**Jetbeat**', '`drain`', '**50,000** jobs/s', '', ''],
    ['drain', 'Other 1.0', 'fast', '25,000 jobs/s', '25,000 – 25,000', '2.00'],
  ]);
  const missing = { ...peer, runs: [], missing: 'it is not there' };
  expect(cells(peerTable({ rows: [drain], peers: [missing] }))[3]?.slice(1, 4)).toEqual([
    ...['Other', 'fast', 'not measured'],
  ]);
});

test('a latency stands beside our own of the same share', () => {
  const latency = (share: string, ms: number): PeerResult => ({
    peer: 'Other',
    variant: `fast, ${share}`,
    row: 'latency',
    unit: 'ms',
    runs: [ms],
    version: '1.0',
    settings: '',
    chosen: '',
  });
  const p50 = { name: 'p50', unit: 'ms', better: 'less', median: 1.5, range: [1, 2] } as const;
  const p99 = { ...p50, name: 'p99', median: 10 };
  const ours = { ...drain, row: 'latency-200', measures: [p50, p99] };
  const lines = cells(peerTable({ rows: [ours], peers: [latency('p50', 3), latency('p99', 5)] }));
  expect(lines[3]?.slice(2)).toEqual(['fast, p50', '3 ms', '3 – 3', '2.00']);
  expect(lines[5]?.slice(2)).toEqual(['fast, p99', '5 ms', '5 – 5', '0.50']);
});

test('numbers are short', () => {
  expect([0.123456, 12.345, 99.96, 1_234.5, 0].map(shown)).toEqual(['0.123', '12.3', '100', '1,235', '0']);
});
