import { join } from 'node:path';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gates, startGates } from '../support/gates.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

let stack: Stack;
let gates: Gates;
beforeAll(async () => {
  gates = await startGates();
  stack = await startStack();
  const env = { JETBEAT_TASKS: join(import.meta.dirname, 'callback-tasks.ts') };
  await Promise.all([stack.start('api'), stack.start('recorder'), stack.start('worker', { env })]);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await gates?.stop();
}, 60_000);

const post = async (body: object) => (await stack.http.call<{ id: string }>('POST', '/jobs', body)).body.id;
const end = async (id: string) => (await stack.http.jobIn(id, ['succeeded', 'dead'])) as unknown as Job;

test.each(['inline', 'thread', 'process'])('progress of a handler that runs %s', async (isolation) => {
  const id = await post({ task: `steps.${isolation}`, input: `${gates.url}/${isolation}` });
  const seen = await waitUntil(
    'half is told',
    async () => {
      const { progress } = (await stack.http.job(id)) as unknown as Job;
      return progress?.value === 50 ? progress : undefined;
    },
    { timeoutMs: 20_000 },
  );
  expect(seen).toEqual({ value: 50 });
  gates.open(`/${isolation}`);
  expect(await end(id)).toMatchObject({ state: 'succeeded', progress: { value: 100, note: 'done' } });
});

test('what is no progress is said so', async () => {
  const id = await post({ task: 'steps.beyond', input: null });
  expect(await end(id)).toMatchObject({
    state: 'dead',
    error: { message: 'progress is a number from 0 to 100, not 101' },
  });
});
