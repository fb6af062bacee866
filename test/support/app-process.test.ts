import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startApp, startOnFreePort } from './app-process.ts';
import { createTestDatabase } from './database.ts';
import { natsUrl, testNamespace } from './nats.ts';
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

test('an app whose port somebody else answers on is not taken for ready, and begins anew on another one', async () => {
  const neighbour = createServer((_, answer) => answer.end('{}'));
  neighbour.listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  onTestFinished(() => void neighbour.close());
  const { port: taken } = neighbour.address() as AddressInfo;
  const { url, drop } = await createTestDatabase();
  const env = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_NAMESPACE: testNamespace(),
    JETBEAT_DATABASE_URL: url,
    JETBEAT_HOST: '127.0.0.1',
  };
  const given: number[] = [];
  const app = await startOnFreePort((free) => {
    const healthPort = given.length === 0 ? taken : free;
    given.push(healthPort);
    return startApp({ name: 'recorder', healthPort, env });
  });
  onTestFinished(async () => {
    await app.stop();
    await drop();
  });
  expect(given).toEqual([taken, expect.any(Number)]);
  expect(app.healthUrl).toBe(`http://127.0.0.1:${given[1]}`);
});
