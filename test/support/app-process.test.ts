import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { processLives } from './process-lives.ts';
import { waitUntil } from './wait-until.ts';

const run = join(import.meta.dirname, 'fixtures/run-process.ts');

test('kill -9 of a test run ends the processes of its files, their servers and their apps', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-run-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const child = spawn(process.execPath, [run, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(said.toString()) as number[];
  const living = async () => (await Promise.all(pids.map(processLives))).filter(Boolean).length;
  expect(await living()).toBe(3);
  child.kill('SIGKILL');
  await waitUntil('all have ended', async () => (await living()) === 0, { timeoutMs: 10_000 });
});
