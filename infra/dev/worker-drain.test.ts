import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from './fixtures/folder.ts';
import { usualDrainMs, workerDrain } from './worker-drain.ts';

test('a start knows how long its worker may take to stop, as the worker does', async () => {
  const file = join(await emptyFolder(), 'jetbeat.yaml');
  const drain = (more: NodeJS.ProcessEnv = {}) => workerDrain({ JETBEAT_CONFIG: file, ...more });
  expect(await drain()).toBe(usualDrainMs);
  await writeFile(file, 'worker: { drain: 45s }\n');
  expect(await drain()).toBe(45_000);
  expect(await drain({ JETBEAT_DRAIN: '2m' })).toBe(120_000);
  expect(await drain({ JETBEAT_DRAIN: 'long' })).toBe(usualDrainMs);
  const dump = (grace: string) =>
    `commands: { dump: { run: [pg_dump], grace: ${grace} }, other: { run: [ls] } }\n`;
  await writeFile(file, dump('7s'));
  expect(await drain()).toBe(usualDrainMs + 7_000);
  await writeFile(file, dump('5m'));
  expect(await drain({ JETBEAT_DRAIN: '1s' })).toBe(11_000);
});
