import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownPort } from '../../test/support/ports.ts';
import { resolveNatsServer } from './find-nats-server.ts';
import { emptyFolder } from './fixtures/folder.ts';
import { startNats } from './nats-server.ts';
import { portIsFree } from './ports.ts';
import { startPostgres } from './postgres-server.ts';
import { isAlive } from './process-facts.ts';

const log = () => {};
const natsBin = () =>
  resolveNatsServer({
    cacheDir: resolve(import.meta.dirname, '../../.jetbeat/cache'),
    log,
    bin: process.env['JETBEAT_NATS_SERVER_BIN'] ?? '',
  });

test('nats-server starts, shows its limits, and starts again on the same folder and port after kill -9', async () => {
  const dir = await emptyFolder();
  const bin = await natsBin();
  const first = await startNats({ bin, dir, log, monitorPort: 0, maxFile: 10_000_000 });
  onTestFinished(() => first.stop());
  const shown = (await (await fetch(`${first.monitorUrl}/jsz`)).json()) as {
    config: Record<string, unknown>;
  };
  expect(shown.config).toMatchObject({ max_storage: 10_000_000, sync_interval: 100_000_000 });
  first.kill();
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const again = await startNats({ bin, dir, log, port: first.port });
  expect(again.url).toBe(first.url);
  await again.stop();
  await again.stop();
  expect(isAlive(again.pid)).toBe(false);
  expect(await portIsFree(first.port)).toBe(true);
});

test('nats-server says which port is in use, and its own words when it cannot start', async () => {
  const dir = await emptyFolder();
  const bin = await natsBin();
  const port = await ownPort();
  const holder = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void holder.close());
  await new Promise((listening) => holder.once('listening', listening));
  await expect(startNats({ bin, dir, log, port })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
  await expect(startNats({ bin, dir, log, syncInterval: 'soon' })).rejects.toThrow(
    /ended at once[\s\S]*sync_interval/,
  );
});

test('PostgreSQL starts in a folder of mode 0700 with a password that only its owner can read', async () => {
  const dir = join(await emptyFolder(), 'postgres');
  const server = await startPostgres({ dir, log });
  onTestFinished(() => server.stop());
  expect(server.url).toMatch(/^postgres:\/\/jetbeat:[\w-]{32}@127\.0\.0\.1:\d+\/jetbeat$/);
  expect((await stat(join(dir, 'password'))).mode & 0o777).toBe(0o600);
  const rules = await readFile(join(dir, 'data', 'pg_hba.conf'), 'utf8');
  expect(rules).not.toMatch(/^[^#]*trust/m);
  await expect(startPostgres({ dir, log })).rejects.toThrow(/already runs on .*pid \d+/);
});

test('PostgreSQL starts again after kill -9, also when its old number belongs to a stranger now', async () => {
  const dir = join(await emptyFolder(), 'postgres');
  const first = await startPostgres({ dir, log });
  onTestFinished(() => first.stop());
  first.kill();
  await first.exited;
  const second = await startPostgres({ dir, log, port: first.port });
  expect(second.url).toBe(first.url);
  second.kill();
  await second.exited;
  const pidFile = join(dir, 'data', 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  // A process of another session that lives on: the one that runs this test.
  await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
  const third = await startPostgres({ dir, log, port: first.port });
  onTestFinished(() => third.stop());
  expect(isAlive(third.pid)).toBe(true);
});

test('a cluster that was only half made is made again', async () => {
  const dir = join(await emptyFolder(), 'postgres');
  const stopped = AbortSignal.abort();
  await expect(startPostgres({ dir, log, signal: stopped })).rejects.toThrow('was stopped');
  await rename(join(dir, 'data'), join(dir, 'data.new'));
  const server = await startPostgres({ dir, log });
  onTestFinished(() => server.stop());
  expect(isAlive(server.pid)).toBe(true);
});
