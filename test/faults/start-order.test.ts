import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats } from '@jetbeat/infra/dev';
import { expect, onTestFinished, test } from 'vitest';
import { type AppName, startApp } from '../support/app-process.ts';
import { createTestDatabase } from '../support/database.ts';
import { testNamespace } from '../support/nats.ts';
import { ownPort } from '../support/ports.ts';
import { waitUntil } from '../support/wait-until.ts';

const LATER = ['recorder', 'scheduler'] as const;

test('apps that are started before NATS wait for it and say so; one that is told to stop meanwhile does', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-order-'));
  const database = await createTestDatabase();
  onTestFinished(async () => {
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  });
  const port = await ownPort();
  const env = {
    JETBEAT_NATS_URL: `nats://127.0.0.1:${port}`,
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: testNamespace(),
    JETBEAT_STORAGE_EVENTS: '32MiB',
  };
  const begin = async (name: AppName) => startApp({ name, env, healthPort: await ownPort() });
  const apps = await Promise.all(LATER.map(begin));
  const told = await begin('worker');
  onTestFinished(async () => void (await Promise.all([...apps, told].map((app) => app.kill()))));
  const waits =
    /"level":"warn".*cannot start yet: NATS at nats:\/\/127.0.0.1:\d+ cannot be reached .* it is tried for another \d+ s/;
  for (const app of [...apps, told])
    await waitUntil('it says so', () => waits.test(app.output()), { timeoutMs: 30_000 });
  expect(await told.stop()).toBe(0);

  const bin = process.env['JETBEAT_TEST_NATS_BIN'] ?? '';
  const nats = await startNats({ bin, dir, port, log: () => {} });
  onTestFinished(() => nats.stop());
  await Promise.all(apps.map((app) => app.ready()));
  expect(await Promise.all(apps.map((app) => app.stop()))).toEqual([0, 0]);
}, 90_000);
