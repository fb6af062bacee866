import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readMemory, readProcesses, secondsOf, treeOf } from './process-table.ts';

test('a process is found with its child, its time and its memory', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); process.stdin.resume()']);
  try {
    await once(child.stdout, 'data');
    const table = await readProcesses();
    const pids = treeOf(table, process.pid).map(({ pid }) => pid);
    expect(pids).toContain(child.pid);
    expect(pids[0]).toBe(process.pid);
    expect(table.get(process.pid)?.cpuSeconds).toBeGreaterThan(0);
    const [memory] = await readMemory([child.pid ?? 0]);
    expect(memory?.residentBytes).toBeGreaterThan(10 * 1024 ** 2);
    expect(memory?.peakBytes).toBeGreaterThanOrEqual(memory?.residentBytes ?? 0);
    expect(memory?.sharedBytes).toBeLessThan(memory?.residentBytes ?? 0);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

test('a process that is gone has nothing', async () => {
  expect(treeOf(await readProcesses(), 4_194_305)).toEqual([]);
  expect(await readMemory([4_194_305])).toEqual([]);
});

test('times of ps are read in all their forms', () => {
  expect(['0:01.50', '12:34', '1:02:03', '2-03:04:05'].map(secondsOf)).toEqual([1.5, 754, 3_723, 183_845]);
});
