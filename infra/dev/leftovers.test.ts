import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { emptyFolder } from './fixtures/folder.ts';
import { stopLeftovers } from './leftovers.ts';
import { isAlive, startTimeOf } from './process-facts.ts';
import { openProcessesFile, readProcesses } from './processes-file.ts';
import { startServerProcess } from './server-process.ts';

async function sleeper(dir: string) {
  const process = await startServerProcess({
    command: 'sleep',
    args: ['60'],
    cwd: '/',
    outputFile: join(dir, 'out'),
    stopSignals: [],
  });
  onTestFinished(() => process.stop());
  return process;
}

test('processes of the list are stopped, and the list holds what the interface names', async () => {
  const dir = await emptyFolder();
  const file = join(dir, 'processes.json');
  const left = await sleeper(dir);
  await openProcessesFile(file).set('worker', { pid: left.pid, ports: [7423] });
  const entry = (await readProcesses(file)).get('worker');
  expect(entry).toMatchObject({ pid: left.pid, ports: [7423], command: 'sleep 60' });
  const lines: string[] = [];
  expect(await stopLeftovers({ file, log: (line) => lines.push(line) })).toEqual(['worker']);
  expect(await left.exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(lines).toEqual([`Stopping worker (pid ${left.pid}), left behind by a start that was killed …`]);
});

test('a stranger that was given the number since is let alone', async () => {
  const dir = await emptyFolder();
  const file = join(dir, 'processes.json');
  const stranger = await sleeper(dir);
  const entry = {
    pid: stranger.pid,
    ports: [],
    startedAt: '',
    command: 'sleep 60',
    startTime: '1@another-boot',
  };
  await writeFile(file, JSON.stringify({ worker: entry }));
  expect(await stopLeftovers({ file, log: () => {} })).toEqual([]);
  expect(isAlive(stranger.pid)).toBe(true);
});

test('a start that is still running is not disturbed', async () => {
  const dir = await emptyFolder();
  const file = join(dir, 'processes.json');
  await openProcessesFile(file).set('start', { pid: process.pid, ports: [] });
  await expect(stopLeftovers({ file, log: () => {} })).rejects.toThrow(
    `Jetbeat already runs on this data folder (pid ${process.pid})`,
  );
});

test('a missing or damaged list means that nothing was left', async () => {
  const file = join(await emptyFolder(), 'processes.json');
  expect(await stopLeftovers({ file, log: () => {} })).toEqual([]);
  await writeFile(file, '{"worker": {"pid": "12"}, "api": nu');
  expect(await stopLeftovers({ file, log: () => {} })).toEqual([]);
});

test('a process keeps its start time, and one that has ended has none', async () => {
  const left = await sleeper(await emptyFolder());
  const time = await startTimeOf(left.pid);
  expect(time).toBeDefined();
  expect(await startTimeOf(left.pid)).toBe(time);
  left.kill();
  await left.exited;
  expect(await startTimeOf(left.pid)).toBeUndefined();
});
