import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { type Gates, startGates } from '../support/gates.ts';
import type { JobJson } from '../support/http.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = join(import.meta.dirname, '../flow/job-tasks.ts');
const dying = join(import.meta.dirname, 'mains/api-dies-before-publish.ts');

let stack: Stack;
let dir: string;
let api: AppProcess;
let recorder: AppProcess;
let gates: Gates;
beforeAll(async () => {
  gates = await startGates();
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-jobs-'));
  stack = await startStack({ ackWait: '2s', env: { JETBEAT_TASKS: tasks, JETBEAT_CONCURRENCY: '2' } });
  [api, recorder] = await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await gates?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const file = () => join(dir, 'notes');
const call = (method: string, path: string, body?: unknown) => stack.http.call<JobJson>(method, path, body);
async function post(name: string, more: object = {}, rest: object = {}): Promise<string> {
  const body = { task: 'jobs.inline', input: { file: file(), name, ...more }, ...rest };
  const answer = await call('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}

/** How often a job of this name has begun. */
async function begun(name: string): Promise<number> {
  const text = await readFile(file(), 'utf8').catch(() => '');
  const lines = text.split('\n').filter(Boolean);
  return lines.filter((line) => {
    const noted = JSON.parse(line) as { name: string; what: string };
    return noted.name === name && noted.what === 'begun';
  }).length;
}
const hasBegun = (name: string) =>
  waitUntil(`${name} has begun`, async () => (await begun(name)) > 0, { timeoutMs: 20_000 });

test('the worker of a job that is being cancelled is killed: the next one ends it and does not run it', async () => {
  const worker = await stack.start('worker');
  const id = await post('cancelling', { end: 'ignore' });
  await hasBegun('cancelling');
  const answer = await call('POST', `/jobs/${id}/cancel`, { reason: 'enough' });
  expect([answer.status, answer.body.state]).toEqual([202, 'cancelling']);
  await worker.kill();
  const next = await stack.start('worker');
  expect(await stack.http.jobIn(id, ['cancelled', 'succeeded', 'dead'])).toMatchObject({
    state: 'cancelled',
  });
  expect(await begun('cancelling')).toBe(1);
  await next.stop();
}, 60_000);

test('a worker that does not answer any more: the cancel stands, and whoever gets the job next drops it', async () => {
  const worker = await stack.start('worker');
  const id = await post('killed', { end: 'ignore' });
  await hasBegun('killed');
  await worker.kill();
  const answer = await call('POST', `/jobs/${id}/cancel`);
  expect([answer.status, answer.body.state]).toEqual([202, 'cancelling']);
  const next = await stack.start('worker');
  expect(await stack.http.jobIn(id, ['cancelled', 'succeeded', 'dead'])).toMatchObject({
    state: 'cancelled',
  });
  expect(await begun('killed')).toBe(1);
  await next.stop();
}, 60_000);

test('the API dies in the middle of a move: the recorder carries it out, and the job runs once', async () => {
  const worker = await stack.start('worker');
  const id = await post('half-moved', { ms: 10 }, { delay: '1h' });
  await api.kill();
  api = await stack.start('api', { main: dying });
  await expect(call('POST', `/jobs/${id}/run-now`)).rejects.toThrow();
  await api.exited;
  api = await stack.start('api');
  expect(await stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).toMatchObject({
    attempts: [{ number: 1 }],
  });
  expect(await begun('half-moved')).toBe(1);
  await worker.stop();
}, 90_000);

test('jobs that a worker holds are moved, and it is killed: each runs once, at its new time', async () => {
  const worker = await stack.start('worker');
  // Both slots are taken until all is moved.
  const gate = `${gates.url}/busy`;
  const busy = [await post('busy-1', { gate }), await post('busy-2', { gate })];
  await gates.until('/busy', 2);
  const names = Array.from({ length: 10 }, (_, index) => `held-${index}`);
  const ids = await Promise.all(names.map((name) => post(name, { ms: 10 })));
  const runAt = new Date(Date.now() + 4_000).toISOString();
  const statuses = await Promise.all(
    ids.map(async (id) => (await call('PATCH', `/jobs/${id}`, { runAt })).status),
  );
  expect(statuses).toEqual(ids.map(() => 200));
  await worker.kill();
  gates.open('/busy');
  const next = await stack.start('worker');
  for (const id of [...ids, ...busy]) await stack.http.jobIn(id, ['succeeded'], 40_000);
  for (const [index, id] of ids.entries()) {
    const job = (await stack.http.job(id)) as JobJson & { startedAt: string };
    expect(Date.parse(job.startedAt)).toBeGreaterThanOrEqual(Date.parse(runAt) - 50);
    expect([names[index], await begun(names[index] ?? '')]).toEqual([names[index], 1]);
  }
  await next.stop();
}, 90_000);

test('every recorder is killed while a program waits for a result: it gets it from the next one', async () => {
  const worker = await stack.start('worker');
  const client = await connect({ servers: stack.nats.url });
  const job = await client.enqueue('jobs.inline', { file: file(), name: 'waited', ms: 1_000 });
  const waiting = job.result({ timeout: '30s' });
  await hasBegun('waited');
  await recorder.kill();
  recorder = await stack.start('recorder');
  expect(await waiting).toBe('waited');
  await client.close();
  await worker.stop();
}, 90_000);
