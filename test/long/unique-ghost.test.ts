import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from '@jetbeat/client';
import { expect, onTestFinished, test } from 'vitest';
import { hold } from '../flow/unique-tasks.ts';
import { startGates } from '../support/gates.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a producer that is killed between its key and its job leaves no ghost beyond a minute', async () => {
  const gates = await startGates();
  onTestFinished(() => gates.stop());
  gates.open('/ghost');
  const stack = await startStack();
  onTestFinished(() => stack.stop(), 60_000);
  const env = { JETBEAT_TASKS: join(import.meta.dirname, '../flow/unique-tasks.ts') };
  await Promise.all([stack.start('api'), stack.start('recorder'), stack.start('worker', { env })]);
  const client = await connect({ servers: stack.nats.url });
  onTestFinished(() => client.close());
  const ask = () => client.enqueue(hold, { gate: `${gates.url}/ghost` }, { uniqueKey: 'ghost' });

  const main = join(import.meta.dirname, '../faults/mains/producer-dies-with-key.ts');
  const began = Date.now();
  const child = spawn(process.execPath, [main, 'ghost'], {
    env: { ...process.env, ...stack.env },
    stdio: 'inherit',
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  expect(await ask()).toMatchObject({ created: false });
  const look = async () => {
    const asked = await ask();
    return asked.created && asked;
  };
  const { id } = await waitUntil('the key is free', look, { timeoutMs: 70_000, everyMs: 500 });
  expect(Date.now() - began).toBeLessThan(60_000);
  await waitUntil('history knows it', () => stack.http.job(id));
  expect(await stack.http.jobIn(id, ['succeeded'])).toMatchObject({ attempts: [{ outcome: 'succeeded' }] });
}, 180_000);
