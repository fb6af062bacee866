import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { type BreakableWay, startProxy } from '../support/proxy.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { openTriggerGate, type TriggerGate } from '../support/trigger-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = join(import.meta.dirname, '../flow/job-tasks.ts');
let stack: Stack;
let api: AppProcess;
let worker: AppProcess;
let way: BreakableWay;
let gate: TriggerGate;
let dir: string;

const startApi = () => stack.start('api', { env: { JETBEAT_NATS_URL: `nats://127.0.0.1:${way.port}` } });
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-kills-'));
  stack = await startStack({ env: { JETBEAT_TASKS: tasks, JETBEAT_CONCURRENCY: '10' } });
  way = await startProxy(Number(new URL(stack.nats.url).port));
  api = await startApi();
  [worker] = await Promise.all([stack.start('worker'), stack.start('recorder')]);
  gate = await openTriggerGate(stack.postgres.url, 'jetbeat api');
}, 90_000);
afterAll(async () => {
  await gate?.close();
  await stack?.stop();
  await way?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const call = <T = Job & { code?: string }>(method: string, path: string, body?: object) =>
  stack.http.call<T>(method, path, body);
const file = () => join(dir, 'notes');
const post = (name: string, more: object = {}, rest: object = {}) =>
  stack.http.post({ task: 'jobs.inline', input: { file: file(), name, ...more }, ...rest });

async function noted(name: string): Promise<string[]> {
  const text = await readFile(file(), 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { name: string; what: string });
  return lines.filter((line) => line.name === name).map(({ what }) => what);
}
async function audited(target: string): Promise<string[]> {
  const { body } = await call<{ items: { action: string }[] }>('GET', `/audit?target=${target}`);
  return body.items.map(({ action }) => action);
}

/** Kills the API in the moment in which it says this to NATS, which does not hear it any more; then starts another one. */
async function killAtWord(text: string, act: () => Promise<unknown>): Promise<void> {
  const held = way.holdAt(text);
  const cut = expect(act()).rejects.toThrow();
  await held;
  await api.kill();
  way.cut();
  await cut;
  api = await startApi();
}
/** The same where it is about to write into PostgreSQL. */
async function killAtWrite(trigger: string, act: () => Promise<unknown>): Promise<void> {
  await gate.killAt(
    trigger,
    () => expect(act()).rejects.toThrow(),
    () => api.kill(),
  );
  api = await startApi();
}

const became = (state: string) => `update on job for each row when (new.state = '${state}')`;
const NOTES =
  'update on job for each row when (new.cancel_requested_at is distinct from old.cancel_requested_at)';

test('killed between any two steps of a cancel: what was noted is done, once in the audit log; what was not is not', async () => {
  const scheduled = (name: string) => post(name, {}, { delay: '1h' });
  const cancel = (id: string) => call('POST', `/jobs/${id}/cancel`, { reason: 'enough' });
  const untouched = await scheduled('untouched');
  await killAtWrite(NOTES, () => cancel(untouched));
  const unmarked = await scheduled('unmarked');
  await killAtWord(`$KV.cancelled.${unmarked}`, () => cancel(unmarked));
  // History is all that says so.
  expect(await call('GET', `/jobs/${unmarked}`)).toMatchObject({ body: { cancelReason: 'enough' } });
  const marked = await scheduled('marked');
  await killAtWord(`timers.${marked}`, () => cancel(marked));
  const takenOut = await scheduled('taken-out');
  await killAtWrite(became('cancelled'), () => cancel(takenOut));
  const running = await post('running');
  await waitUntil('it runs', async () => (await noted('running')).length > 0);
  await killAtWord(`$KV.cancelled.${running}`, () => cancel(running));
  const told = await post('told');
  await waitUntil('it runs', async () => (await noted('told')).length > 0);
  await killAtWord('questions.held', () => cancel(told));
  const all = [unmarked, marked, takenOut, running, told];
  for (const id of all) {
    const { state, reason } = await stack.http.jobIn(id, ['cancelled', 'succeeded', 'dead']);
    expect([state, reason?.text]).toEqual(['cancelled', 'enough']);
    expect(await audited(`job:${id}`)).toEqual(['job.cancel']);
  }
  for (const name of ['running', 'told']) expect(await noted(name)).toEqual(['begun', 'told']);
  expect(await call('GET', `/jobs/${untouched}`)).toMatchObject({ body: { state: 'scheduled' } });
  expect(await audited(`job:${untouched}`)).toEqual([]);
}, 180_000);

test('killed after a job was moved and before its old message is gone: it runs once', async () => {
  const id = await post('moved', { ms: 10 }, { delay: '1h' });
  await killAtWord(`timers.${id}`, () => call('POST', `/jobs/${id}/run-now`, {}));
  expect(await stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).toMatchObject({
    attempts: [{ number: 1 }],
  });
  expect(await noted('moved')).toEqual(['begun']);
  expect(await audited(`job:${id}`)).toEqual(['job.run-now']);
}, 90_000);

test('killed while a dead letter is thrown away: the repeat takes the message that is left', async () => {
  const id = await stack.http.post({ task: 'jobs.dies', input: 'no' });
  await stack.http.jobIn(id, ['dead']);
  const discard = () => call('DELETE', `/dead-letters/${id}`);
  await killAtWord('STREAM.MSG.DELETE.DEAD', discard);
  expect(await call('GET', `/dead-letters/${id}`)).toMatchObject({ status: 404 });
  expect([(await discard()).status, (await discard()).status]).toEqual([204, 404]);
  expect(await audited(`dead-letter:${id}`)).toEqual(['dead-letter.discard']);
}, 90_000);

test('killed when a worker is to be told to end: who told it is written down, it goes on, and the repeat ends it', async () => {
  const { body } = await call<{ items: { id: string }[] }>('GET', '/workers');
  const [{ id } = { id: '' }] = body.items;
  await killAtWord('control.worker', () => call('POST', `/workers/${id}/stop`, {}));
  expect(await audited(`worker:${id}`)).toEqual(['worker.stop']);
  expect(worker.output()).not.toContain('"msg":"stopped"');
  expect((await call('POST', `/workers/${id}/stop`, {})).status).toBe(200);
  expect(await worker.exited).toBe(0);
}, 90_000);
