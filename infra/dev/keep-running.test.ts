import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { emptyFolder } from './fixtures/folder.ts';
import { keepRunning, nextDelay } from './keep-running.ts';
import { isAlive } from './process-facts.ts';
import { type ServerProcess, startServerProcess, tailOf } from './server-process.ts';

test('the pause doubles from 250 ms to 10 s and begins anew after 30 s up', () => {
  const pauses: number[] = [];
  let previous: number | undefined;
  for (let n = 0; n < 8; n++) {
    previous = nextDelay({ previous, upMs: 10 });
    pauses.push(previous);
  }
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  expect(nextDelay({ previous, upMs: 30_000 })).toBe(250);
});

async function sleeper(outputFile: string): Promise<ServerProcess> {
  return startServerProcess({
    command: 'sleep',
    args: ['60'],
    cwd: '/',
    outputFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 2000 }],
  });
}

test('a process that ends is started again until it is stopped, which is safe twice', async () => {
  const output = join(await emptyFolder(), 'out');
  const started: ServerProcess[] = [];
  const lines: string[] = [];
  const kept = keepRunning({
    name: 'sleeper',
    begin: async () => {
      const process = await sleeper(output);
      started.push(process);
      return process;
    },
    log: (line) => lines.push(line),
  });
  await vi.waitUntil(() => started.length === 1, { timeout: 15_000 });
  started[0]?.kill();
  await vi.waitUntil(() => started.length === 2, { timeout: 15_000 });
  expect(lines).toEqual(['sleeper was ended by SIGKILL; starting it again in 250 ms']);
  await Promise.all([kept.stop(), kept.stop()]);
  expect(started.map((process) => isAlive(process.pid))).toEqual([false, false]);
});

test('one that cannot be started is tried again, and stopping ends the wait', async () => {
  const lines: string[] = [];
  const kept = keepRunning({
    name: 'broken',
    begin: () => Promise.reject(new Error('no such program')),
    log: (line) => lines.push(line),
  });
  await vi.waitUntil(() => lines.length >= 2, { timeout: 15_000 });
  await kept.stop();
  expect(lines.slice(0, 2)).toEqual([
    'broken did not start: no such program; starting it again in 250 ms',
    'broken did not start: no such program; starting it again in 500 ms',
  ]);
});

test('a process that ignores the polite signal is ended the hard way', async () => {
  const output = join(await emptyFolder(), 'out');
  const process = await startServerProcess({
    command: '/bin/sh',
    args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'],
    cwd: '/',
    outputFile: output,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 200 }],
  });
  await vi.waitUntil(async () => (await tailOf(output)) === 'ready', { timeout: 15_000 });
  await process.stop();
  expect(await process.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('one that is refused at its first start is left ended', async () => {
  const asked: unknown[] = [];
  const refused = new Error('wrong configuration');
  let starts = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const kept = keepRunning({
    name: 'refused',
    begin: () => {
      starts += 1;
      return Promise.reject(refused);
    },
    refuses: async (exit) => {
      asked.push(exit);
      resolve();
      return true;
    },
    log: () => {},
  });
  await promise;
  await kept.stop();
  expect(asked).toEqual([refused]);
  expect(starts).toBe(1);
});
