import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { connectBus, ensureTopology, silentLog } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { startOwnNats, testTopology } from '../support/nats.ts';

const root = resolve(import.meta.dirname, '../..');

test('the program on the page on uniqueness prints what its comments say', async () => {
  const text = await readFile(join(root, 'docs/uniqueness.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const said = [...code.matchAll(/console\.log.* \/\/ (.*)/g)].map(([, line]) => line);
  expect(said).toHaveLength(2);
  const nats = await startOwnNats();
  onTestFinished(() => nats.stop());
  const bus = await connectBus({ servers: nats.url, name: 'test', log: silentLog });
  onTestFinished(() => bus.close());
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
  // Inside, so that it finds our packages.
  const dir = await mkdtemp(join(import.meta.dirname, 'jetbeat-docs-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'program.ts');
  await writeFile(file, code);
  const env = { ...process.env, JETBEAT_NATS_URL: nats.url };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: 20_000 });
  expect(stdout.trim().split('\n')).toEqual(said);
});
