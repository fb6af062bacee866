import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

const root = resolve(import.meta.dirname, '../..');
let stack: Stack;
let folder: string;

beforeAll(async () => {
  // Inside the checkout, so that the example finds the packages as a user's program does.
  await mkdir(join(root, '.jetbeat'), { recursive: true });
  folder = await mkdtemp(join(root, '.jetbeat/readme-'));
  stack = await startStack();
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The TypeScript blocks of the README, in their order. */
async function examples(): Promise<string[]> {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
}

test("the README's example runs as it stands there", async () => {
  const [task = '', call = ''] = await examples();
  const path = /^\/\/ (\S+)$/m.exec(task)?.[1] ?? '';
  expect(path).toBe('tasks/report.ts');
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), task);
  await writeFile(join(folder, 'call.ts'), call);

  await Promise.all([
    stack.start('api'),
    stack.start('recorder'),
    stack.start('worker', { env: { JETBEAT_TASKS: join(folder, 'tasks') } }),
  ]);
  const env = { ...process.env, JETBEAT_NATS_URL: stack.nats.url };
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'call.ts')], {
    env,
    timeout: 20_000,
  });
  const id = stdout.trim();
  const job = await stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ task: 'report.send', state: 'succeeded', result: { sent: 1 } });
  expect(job.attempts).toMatchObject([{ number: 1, outcome: 'succeeded' }]);
}, 60_000);
