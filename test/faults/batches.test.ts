import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, JobCounts } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import type { Http } from '../support/http.ts';
import { openTriggerGate, type TriggerGate } from '../support/trigger-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Cancelling reaches for each job, and takes its time; retrying is a matter of PostgreSQL. */
const CANCELLED = 1_000;
const MANY = 2_000;
let group: AppGroup;
let api: AppProcess;
let beside: { app: AppProcess; http: Http };
let gate: TriggerGate;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-batches-'));
  group = await startAppGroup({ JETBEAT_ACK_WAIT: '2s' });
  [api] = await Promise.all([group.start('api'), group.start('recorder')]);
  beside = await group.startApiBeside();
  gate = await openTriggerGate(group.databaseUrl, 'jetbeat api');
  await group.start('worker', { JETBEAT_TASKS: join(import.meta.dirname, '../flow/queue-tasks.ts') });
}, 90_000);
afterAll(async () => {
  await gate?.close();
  await group?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

/** Makes the jobs, a thousand in a call. */
async function post(count: number, make: (n: number) => object): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    const jobs = Array.from({ length: 1_000 }, (_, n) => make(from + n));
    const { body } = await beside.http.call<{ accepted: number }>('POST', '/jobs/batch', { jobs });
    expect(body.accepted, JSON.stringify(body).slice(0, 500)).toBe(1_000);
  }
}
/** Asks one API for a batch, kills it when so many are done and it would say so, and waits until another has done the rest. */
async function interrupted(body: object, begun: number): Promise<Batch> {
  let id = '';
  const ask = async () => {
    const { status, body: asked } = await group.http.call<Batch>('POST', '/batches', body);
    expect(status, JSON.stringify(asked)).toBe(202);
    id = asked.id ?? '';
  };
  const far = async () => (await beside.http.call<Batch>('GET', `/batches/${id}`)).body;
  await gate.killAt(`update on batch for each row when (new.done >= ${begun})`, ask, async () => {
    await api.kill();
    expect(await far()).toMatchObject({ state: 'running' });
  });
  return waitUntil(
    'it is done',
    async () => {
      const now = await far();
      return now.state === 'done' && now;
    },
    { timeoutMs: 90_000 },
  );
}

test('an API that is killed while it cancels a thousand leaves the rest to another one', async () => {
  await post(CANCELLED, (n) => ({ task: 'test.fragile', input: { ok: true, n }, delay: '1h' }));
  const filter = { task: 'test.fragile', state: ['scheduled'] };
  const done = await interrupted({ action: 'cancel', filter, rate: 1_000 }, 200);
  expect(done).toMatchObject({
    done: CANCELLED,
    skipped: 0,
    failed: 0,
    total: { value: CANCELLED, capped: false },
  });
  await waitUntil('all are counted as cancelled', async () => {
    const { body } = await beside.http.call<JobCounts>('GET', '/jobs/counts?task=test.fragile');
    return body.states.cancelled.value === CANCELLED && body.total.value === CANCELLED;
  });
}, 180_000);

test('an API that is killed while it retries thousands: each runs once more, and none twice', async () => {
  api = await group.start('api');
  const file = join(dir, 'ran');
  const ran = async () => (await readFile(file, 'utf8')).trim().split('\n');
  await post(MANY, (n) => ({ task: 'test.stamp', input: { file, name: `job-${n}`, ms: 0 } }));
  await waitUntil('all have run', async () => (await ran()).length === MANY, {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  const total = async () =>
    (
      await beside.http.call<Batch>('POST', '/batches', {
        action: 'retry',
        filter: { task: 'test.stamp', state: ['succeeded'] },
        dryRun: true,
      })
    ).body.total.value;
  await waitUntil('history knows', async () => (await total()) === MANY, { timeoutMs: 60_000, everyMs: 250 });
  const filter = { task: 'test.stamp', state: ['succeeded'] };
  const done = await interrupted({ action: 'retry', filter, rate: 1_000 }, 300);
  expect(done).toMatchObject({ done: MANY, skipped: 0, failed: 0 });
  await waitUntil('all have run again', async () => (await ran()).length >= 2 * MANY, {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  // What a job made once is retried no second time; those that were made are not over twice either.
  await waitUntil('history knows', async () => (await total()) === MANY, { timeoutMs: 60_000, everyMs: 250 });
  const counts = Map.groupBy(await ran(), (line) => line.split(' ')[0]);
  expect(counts.size).toBe(MANY);
  expect([...counts.values()].filter(({ length }) => length !== 2)).toEqual([]);
}, 180_000);
