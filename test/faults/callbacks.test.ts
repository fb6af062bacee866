import { join } from 'node:path';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { ENDS } from '../support/http.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const main = join(import.meta.dirname, 'mains/worker-dies-at-callback.ts');
const env = { JETBEAT_TASKS: join(import.meta.dirname, '../flow/callback-tasks.ts') };

let stack: Stack;
let ledger: Ledger;
let recorder: AppProcess;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack();
  [, recorder] = await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

/** Runs a job at a worker that dies at its first callback. */
async function dying(when: 'before' | 'after', body: object): Promise<string> {
  const worker = await stack.start('worker', { main, env: { ...env, FAIL_WHEN: when } });
  const id = await stack.http.post(body);
  await waitUntil('the worker has died at its fail point', () => !stack.apps.has(worker), {
    timeoutMs: 30_000,
  });
  return id;
}

/** Waits until nothing is left in JetStream; the job, and the one that it has called. */
async function both(id: string): Promise<{ job: Job; called: Job }> {
  const called = await waitUntil(
    'the callback has ended',
    async () => {
      const { callbacks = [] } = (await stack.http.job(id)) as unknown as Job;
      return callbacks.find(({ state }) => ENDS.includes(state))?.id;
    },
    { timeoutMs: 30_000 },
  );
  const jetstream = await rawJetStream(stack.nats.url);
  try {
    await waitUntil('no message is left', async () => (await jetstream.messages('JOBS')) === 0, {
      timeoutMs: 30_000,
    });
  } finally {
    await jetstream.close();
  }
  return { job: await stack.http.ended(id), called: await stack.http.ended(called) };
}

test.each([
  ['before', 'call.works', 'onSuccess'],
  ['after', 'call.works', 'onSuccess'],
  ['before', 'call.fails', 'onFailure'],
  ['after', 'call.fails', 'onFailure'],
] as const)(
  'a worker that is killed %s it has published the callback of %s leaves exactly one',
  async (when, task, kind) => {
    const path = `/${when}/${kind}`;
    // Where the dying worker takes no jobs, or it would die with the callback in its hands.
    const callback = { webhook: { url: ledger.url + path }, queue: 'hooks' };
    const id = await dying(when, { task, input: null, [kind]: callback });
    const other = await stack.start('worker', { env: { ...env, JETBEAT_QUEUES: 'default,hooks' } });
    const { job, called } = await both(id);
    await other.stop();
    expect(job.attempts).toHaveLength(1);
    expect(job.callbacks).toHaveLength(1);
    expect(called).toMatchObject({ state: 'succeeded', parent: job.id, attempts: [{ number: 1 }] });
    const { body } = called.input as { body: { job: Partial<Job> } };
    expect(body.job).toMatchObject(
      kind === 'onSuccess'
        ? { state: 'succeeded', result: { made: 7 } }
        : { state: 'dead', error: { code: 'broken' } },
    );
    expect(ledger.effects.get(path)?.arrivals).toHaveLength(1);
  },
  120_000,
);

test('also when nobody is there to say that the job was done, and its message waits aside', async () => {
  await recorder.kill();
  const onSuccess = { webhook: { url: `${ledger.url}/aside` } };
  const id = await dying('before', { task: 'call.works', input: null, onSuccess });
  const other = await stack.start('worker', { env });
  await waitUntil('its message is parked', async () => (await parked()) > 0, {
    timeoutMs: 30_000,
  });
  recorder = await stack.start('recorder');
  const { job } = await both(id);
  await other.stop();
  expect(job.attempts).toHaveLength(1);
  expect(ledger.effects.get('/aside')?.arrivals).toHaveLength(1);
}, 120_000);

/** How many messages wait aside. */
async function parked(): Promise<number> {
  const jetstream = await rawJetStream(stack.nats.url);
  try {
    const last = await jetstream.lastOf('JOBS');
    return last?.subject.startsWith('parked.') ? 1 : 0;
  } finally {
    await jetstream.close();
  }
}
