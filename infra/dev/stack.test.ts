import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ownPort } from '../../test/support/ports.ts';
import { resolveNatsServer } from './find-nats-server.ts';
import { emptyFolder } from './fixtures/folder.ts';
import { stopLeftovers } from './leftovers.ts';
import { openLogFiles } from './log-files.ts';
import { portIsFree } from './ports.ts';
import { isAlive } from './process-facts.ts';
import { openProcessesFile, readProcesses } from './processes-file.ts';
import { tieToThisProcess } from './server-process.ts';
import { startStack } from './stack.ts';

const app = fileURLToPath(new URL('./fixtures/app.ts', import.meta.url));
const supervisor = fileURLToPath(new URL('./fixtures/supervisor.ts', import.meta.url));

async function setting() {
  const dataDir = await emptyFolder();
  const natsBin = await resolveNatsServer({
    cacheDir: resolve(import.meta.dirname, '../../.jetbeat/cache'),
    log: () => {},
    bin: process.env['JETBEAT_NATS_SERVER_BIN'] ?? '',
  });
  const ports = { natsPort: await ownPort(), monitorPort: await ownPort(), postgresPort: await ownPort() };
  const file = join(dataDir, 'processes.json');
  const pidOf = async (name: string) => (await readProcesses(file)).get(name)?.pid;
  const startedAgain = (name: string, old: number | undefined) =>
    vi.waitUntil(async () => ((await pidOf(name)) ?? old) !== old, { timeout: 15_000, interval: 20 });
  return { dataDir, natsBin, ports, file, pidOf, startedAgain };
}

test('everything that is killed is started again, and stopping leaves nothing', {
  timeout: 60_000,
}, async () => {
  const { dataDir, natsBin, ports, file, pidOf, startedAgain } = await setting();
  const lines: string[] = [];
  const note = join(dataDir, 'note.json');
  const stack = await startStack({
    dataDir,
    root: dataDir,
    natsBin,
    cacheDir: dataDir,
    ...ports,
    processes: openProcessesFile(file),
    logs: await openLogFiles({ dir: join(dataDir, 'logs') }),
    log: (line) => lines.push(line),
    signal: new AbortController().signal,
    outlive: false,
    apps: (urls) => [
      {
        name: 'app',
        command: process.execPath,
        args: [app, 'app', note],
        env: { NATS: urls.nats },
        ports: [1],
      },
      {
        name: 'stubborn',
        command: process.execPath,
        args: [app, 'stubborn'],
        env: {},
        ports: [2],
        stopMs: 200,
      },
    ],
  });
  onTestFinished(() => stack.stop());
  const env = await vi.waitUntil(() => readFile(note, 'utf8').catch(() => ''), { timeout: 30_000 });
  expect(JSON.parse(env)).toMatchObject({ env: { NATS: `nats://127.0.0.1:${ports.natsPort}` } });
  for (const name of ['app', 'nats', 'postgres']) {
    const pid = await vi.waitUntil(() => pidOf(name), { timeout: 15_000 });
    process.kill(pid, 'SIGKILL');
    await startedAgain(name, pid);
    expect(lines.join('\n')).toContain(`${name} was ended by SIGKILL; starting it again in`);
  }
  expect(lines.join('\n')).toContain(`the whole log: ${join(dataDir, 'logs', 'app.log')}`);
  expect(lines.join('\n')).not.toContain('app is up');
  await vi.waitUntil(() => lines.some((line) => line.startsWith('PostgreSQL ready')), { timeout: 15_000 });
  const running = [...(await readProcesses(file)).values()].map((entry) => entry.pid);
  expect(running).toHaveLength(4);
  const asked = performance.now();
  await Promise.all([stack.stop(), stack.stop()]);
  // Without a word about it an app has 6.5 s.
  expect(performance.now() - asked).toBeLessThan(6_000);
  expect(running.filter(isAlive)).toEqual([]);
  expect(await Promise.all(Object.values(ports).map(portIsFree))).toEqual([true, true, true]);
});

test('what a killed start has left is found and stopped by the next', { timeout: 60_000 }, async () => {
  const { dataDir, natsBin, ports, file } = await setting();
  const { natsPort, monitorPort, postgresPort } = ports;
  // Should this test be killed, what it has left on purpose goes with it.
  const finished = Promise.withResolvers<void>();
  onTestFinished(() => finished.resolve());
  const args = [supervisor, dataDir, natsBin, natsPort, monitorPort, postgresPort, app].map(String);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolveExit) => child.once('exit', resolveExit));
  await new Promise((up) => child.stdout.once('data', up));
  await expect(stopLeftovers({ file, log: () => {} })).rejects.toThrow('already runs');
  child.kill('SIGKILL');
  await exited;
  const left = await readProcesses(file);
  left.delete('start');
  const pids = [...left.values()].map((entry) => entry.pid);
  for (const pid of pids) tieToThisProcess(pid, finished.promise);
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  const order: string[] = [];
  const stopped = await stopLeftovers({ file, log: (line) => order.push(line.split(' ')[1] ?? '') });
  expect(stopped.toSorted()).toEqual(['app', 'nats', 'postgres']);
  expect(order).toEqual(['app', 'nats', 'postgres']);
  // Processes whose parent was killed are collected by init a little later.
  await vi.waitUntil(
    async () => (await Promise.all(Object.values(ports).map(portIsFree))).every((free) => free),
    { timeout: 15_000 },
  );
  expect(await stopLeftovers({ file, log: () => {} })).toEqual([]);
});

test('a server that cannot start says why, and the other one is stopped', async () => {
  const { dataDir, natsBin, ports } = await setting();
  const starting = startStack({
    dataDir,
    root: dataDir,
    natsBin,
    cacheDir: dataDir,
    ...ports,
    postgresPort: ports.natsPort,
    processes: openProcessesFile(join(dataDir, 'processes.json')),
    logs: await openLogFiles({ dir: join(dataDir, 'logs') }),
    log: () => {},
    signal: new AbortController().signal,
    outlive: false,
    apps: () => [],
  });
  await expect(starting).rejects.toThrow(`port ${ports.natsPort} of 127.0.0.1 is in use`);
  expect(await portIsFree(ports.natsPort)).toBe(true);
});
