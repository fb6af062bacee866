import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import type { JobJson } from '../support/http.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const main = (name: string) => join(import.meta.dirname, 'mains', `${name}.ts`);
/** A job whose first hit is this long before a worker's kill was not running at the kill: its outcome was stored by then, also on a busy machine. */
const RUNNING_MS = 3_000;
/** What a worker has sent before it died is noted here a little after that; the next one needs longer to start. */
const NOTED_MS = 250;

let stack: Stack;
let ledger: Ledger;
let api: AppProcess;
let scheduler: AppProcess;
let recorder: AppProcess;
let worker: AppProcess;
/** Path -> job id, for every POST that was answered 202. */
const accepted = new Map<string, string>();
const scheduled = new Set<string>();
const workerKills: number[] = [];
let serial = 0;

beforeAll(async () => {
  ledger = await startLedger({ answerMs: 5 });
  stack = await startStack();
  [api, scheduler, recorder, worker] = await Promise.all([
    stack.start('api'),
    stack.start('scheduler'),
    stack.start('recorder'),
    stack.start('worker'),
  ]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

/** Posts jobs, 20 at a time. A call that was cut off by a kill may or may not have made a job; it is not counted. */
async function post(count: number): Promise<void> {
  const paths = Array.from({ length: count }, () => `/job/${serial++}`);
  const next = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const job = { task: 'http.request', input: { url: ledger.url + path } };
      const answer = await stack.http.call<{ id: string }>('POST', '/jobs', job).catch(() => undefined);
      if (answer?.status === 202) accepted.set(path, answer.body.id);
    }
  };
  await Promise.all(Array.from({ length: 20 }, next));
}

/** Schedules that fire once each, spread over a second that begins soon. */
async function scheduleOnce(count: number): Promise<void> {
  const from = Date.now() + 4_000;
  const create = async (index: number) => {
    const path = `/scheduled/${index}`;
    const at = new Date(from + Math.floor((index * 1_000) / count)).toISOString();
    const job = { task: 'http.request', input: { url: ledger.url + path } };
    const body = { name: `once.${index}`, when: { at }, job, overlap: 'allow', catchUp: { all: 10 } };
    expect(await stack.http.call('POST', '/schedules', body)).toMatchObject({ status: 201 });
    scheduled.add(path);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => create(index)));
}

/** Waits until an app has died at its fail point. */
async function dead(app: AppProcess): Promise<void> {
  await waitUntil(`the ${app.name} has died at its fail point`, () => !stack.apps.has(app), {
    timeoutMs: 30_000,
  });
}

async function allTerminal(): Promise<JobJson[]> {
  const open = async () => {
    const states = ['queued', 'scheduled', 'running', 'parked', 'retrying', 'cancelling'].map(
      (state) => `state=${state}`,
    );
    const { status, body } = await stack.http.call<{ items: JobJson[] }>(
      'GET',
      `/jobs?${states.join('&')}&limit=5`,
    );
    if (status !== 200) throw new Error(`GET /jobs: ${status} ${JSON.stringify(body)}`);
    return body.items;
  };
  await waitUntil('every job has ended', async () => (await open()).length === 0, {
    timeoutMs: 90_000,
    everyMs: 250,
  });
  const jobs: JobJson[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path: string = `/jobs?limit=200${cursor ? `&cursor=${cursor}` : ''}`;
    const { body } = await stack.http.call<{ items: JobJson[]; nextCursor: string | null }>('GET', path);
    jobs.push(...body.items);
    cursor = body.nextCursor;
  }
  return jobs;
}

test('2,000 effects while every process is killed in turn: none is lost, none is doubled but by a worker', async () => {
  // The worker, in the middle of its jobs, twice.
  for (let kill = 0; kill < 2; kill++) {
    const before = ledger.effects.size;
    const posting = post(200);
    await ledger.distinct(before + 100, 20_000);
    await worker.kill();
    workerKills.push(Date.now());
    worker = await stack.start('worker');
    await posting;
  }

  // The scheduler, between its commit and its publish.
  await scheduler.kill();
  await scheduleOnce(100);
  scheduler = await stack.start('scheduler', { main: main('scheduler-dies-before-publish'), eager: true });
  await dead(scheduler);
  scheduler = await stack.start('scheduler');

  // The recorder, in the middle of a batch: committed, and not acknowledged.
  await recorder.kill();
  recorder = await stack.start('recorder', {
    main: main('recorder-dies-after-commit'),
    env: { FAIL_AT: '1' },
    eager: true,
  });
  const whileRecorderDies = post(400);
  await dead(recorder);
  recorder = await stack.start('recorder');
  await whileRecorderDies;

  // The API, between its commit and its publish.
  await api.kill();
  api = await stack.start('api', { main: main('api-dies-before-publish'), env: { FAIL_AT: '2' } });
  await post(100);
  await dead(api);
  api = await stack.start('api');

  // The servers, in mid-flow.
  const beforeNats = ledger.effects.size;
  const whileNatsDies = post(500);
  await ledger.distinct(beforeNats + 100, 20_000);
  await stack.killNats();
  await whileNatsDies;
  const beforePostgres = ledger.effects.size;
  const whilePostgresDies = post(500);
  await ledger.distinct(beforePostgres + 100, 20_000);
  await stack.killPostgres();
  await whilePostgresDies;
  await post(Math.max(0, 2_000 - accepted.size - scheduled.size));

  await ledger.distinct(accepted.size + scheduled.size, 90_000);
  const jobs = await allTerminal();

  expect(accepted.size + scheduled.size).toBeGreaterThanOrEqual(2_000);
  const missing = [...accepted.keys(), ...scheduled].filter((path) => !ledger.effects.has(path));
  expect(missing).toEqual([]);
  const doubled = [...ledger.effects].filter(([, { arrivals }]) => arrivals.length > 1);
  const unexplained = doubled.filter(
    ([
      ,
      {
        arrivals: [first = 0],
      },
    ]) => workerKills.every((kill) => first > kill + NOTED_MS || first < kill - RUNNING_MS),
  );
  expect(unexplained).toEqual([]);
  const states = new Map(jobs.map(({ id, state }) => [id, state]));
  expect(states.size).toBe(jobs.length);
  expect([...accepted.values()].filter((id) => states.get(id) !== 'succeeded')).toEqual([]);
  expect(jobs.filter(({ state }) => state !== 'succeeded')).toEqual([]);
  const endedTwice = jobs.filter(
    ({ attempts }) => attempts.filter(({ outcome }) => outcome === 'succeeded').length !== 1,
  );
  expect(endedTwice).toEqual([]);
}, 240_000);
