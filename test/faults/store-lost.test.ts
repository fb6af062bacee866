import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectBus, eventsState, jobsStreamState } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import type { JobJson } from '../support/http.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
/** Timers must still be waiting when the store is lost, and be over soon after. */
const LATER = '12s';
/** Longer than NATS is away. */
const RUNS_MS = 5_000;
const OPEN = ['queued', 'scheduled', 'running', 'parked', 'retrying'];

/** What the test expects of the outside world: how often each path is hit. */
interface Bench {
  readonly stack: Stack;
  readonly ledger: Ledger;
  readonly wanted: Map<string, number>;
  readonly ids: Map<string, string>;
}

async function startBench(): Promise<Bench> {
  const ledger = await startLedger({
    failsFirst: (path) => path.startsWith('/retrying'),
    answerMs: (path) => (path.startsWith('/running') ? RUNS_MS : 0),
  });
  onTestFinished(() => ledger.stop());
  const stack = await startStack({ ackWait: '1s' });
  onTestFinished(() => stack.stop());
  await Promise.all([stack.start('api'), stack.start('recorder')]);
  // It serves no task of ours, so those are parked; and nobody serves the queue `later` yet.
  await Promise.all([
    stack.start('scheduler'),
    stack.start('worker', { env: { JETBEAT_CONCURRENCY: '40' } }),
  ]);
  return { stack, ledger, wanted: new Map(), ids: new Map() };
}

async function post(bench: Bench, path: string, job: object): Promise<string> {
  const { stack, ledger, wanted, ids } = bench;
  const body = { task: 'http.request', input: { url: ledger.url + path }, ...job };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer, path).toMatchObject({ status: 202 });
  wanted.set(path, path.startsWith('/retrying') ? 2 : 1);
  ids.set(path, answer.body.id);
  return answer.body.id;
}

/** Jobs in every state in which a job waits, and finished ones between them. */
async function fill(bench: Bench): Promise<void> {
  const { stack, ledger } = bench;
  const many = (name: string, job: (path: string) => object) =>
    Promise.all(
      Array.from({ length: 15 }, (_, index) => post(bench, `/${name}/${index}`, job(`/${name}/${index}`))),
    );
  const state = (ids: readonly string[], wanted: string) =>
    Promise.all(ids.map((id) => stack.http.jobIn(id, [wanted])));
  const url = (path: string) => ledger.url + path;

  await state(await many('done', () => ({})), 'succeeded');
  await many('queued', () => ({ queue: 'later' }));
  await many('delayed', () => ({ delay: LATER }));
  const parked = await many('parked', (path) => ({ task: 'test.wait', input: { ms: 1, url: url(path) } }));
  const retrying = await many('retrying', () => ({ retry: { attempts: 3, delay: LATER, jitter: false } }));
  await state(await many('done-too', () => ({})), 'succeeded');
  await state(parked, 'parked');
  await state(retrying, 'retrying');
}

/** A schedule whose jobs wait on the queue that nobody serves; paused when it has made some. */
async function schedule(bench: Bench): Promise<number> {
  const { stack, ledger } = bench;
  const job = { task: 'http.request', queue: 'later', input: { url: `${ledger.url}/scheduled` } };
  const body = { name: 'tick', when: { every: '1s' }, overlap: 'allow', job };
  expect(await stack.http.call('POST', '/schedules', body)).toMatchObject({ status: 201 });
  const made = async () => (await jobs(stack, 'schedule=tick')).length;
  await waitUntil('some have come due', async () => (await made()) >= 3);
  await stack.http.call('POST', '/schedules/tick/pause', {});
  await waitUntil('all are published', async () => {
    const before = await made();
    const { items } = (
      await stack.http.call<{ items: { state: string }[] }>('GET', '/schedules/tick/occurrences')
    ).body;
    const ran = items.filter(({ state }) => state === 'dispatched');
    return items.every(({ state }) => state !== 'due') && ran.length === before;
  });
  return made();
}

/** Jobs that run while the store is lost. */
async function running(bench: Bench): Promise<void> {
  const paths = Array.from({ length: 3 }, (_, index) => `/running/${index}`);
  await Promise.all(paths.map((path) => post(bench, path, {})));
  await waitUntil('they run', () => paths.every((path) => bench.ledger.effects.has(path)));
}

async function jobs(stack: Stack, query: string): Promise<JobJson[]> {
  const { status, body } = await stack.http.call<{ items: JobJson[] }>('GET', `/jobs?limit=200&${query}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.items;
}

async function recordedAll(stack: Stack): Promise<void> {
  const bus = await connectBus({ servers: stack.nats.url, name: 'test' });
  await waitUntil('everything is recorded', async () => {
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return recordedUpTo >= lastSeq;
  });
  await bus.close();
}

/** Everything runs once, whatever became of the store. */
async function endsClean(bench: Bench, scheduled: number): Promise<void> {
  const { stack, ledger, wanted, ids } = bench;
  wanted.set('/scheduled', scheduled);
  await stack.start('worker', { env: { ...tasks, JETBEAT_QUEUES: 'default,later' } });
  const open = OPEN.map((state) => `state=${state}`).join('&');
  const left = () => jobs(stack, open);
  await waitUntil('every job has ended', async () => (await left()).length === 0, {
    timeoutMs: 60_000,
    everyMs: 250,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}; open: ${JSON.stringify((await left()).slice(0, 5))}`);
  });
  const raw = await rawJetStream(stack.nats.url);
  // Whatever would still come a second time is in there.
  await waitUntil('JOBS is empty', async () => (await raw.messages('JOBS')) === 0);
  await raw.close();
  const hits = new Map([...ledger.effects].map(([path, { arrivals }]) => [path, arrivals.length]));
  expect([...hits].sort()).toEqual([...wanted].sort());
  const ended = await Promise.all([...ids.values()].map((id) => stack.http.job(id)));
  expect(ended.filter(({ state }) => state !== 'succeeded')).toEqual([]);
  expect((await jobs(stack, 'schedule=tick')).map(({ state }) => state)).toEqual(
    Array.from({ length: scheduled }, () => 'succeeded'),
  );
}

test('the whole store is deleted while NATS is down: every open job is brought back, and runs once', async () => {
  const bench = await startBench();
  const { stack } = bench;
  await fill(bench);
  const scheduled = await schedule(bench);
  await running(bench);
  await recordedAll(stack);
  stack.nats.kill();
  await stack.nats.exited;
  await rm(stack.natsStore, { recursive: true, force: true });
  await stack.killNats();
  await endsClean(bench, scheduled);
}, 120_000);

test('the last third of JOBS is cut off while NATS is down: likewise', async () => {
  const bench = await startBench();
  const { stack } = bench;
  await fill(bench);
  const scheduled = await schedule(bench);
  await running(bench);
  await recordedAll(stack);
  const before = await lastSeqOf(stack);
  stack.nats.kill();
  await stack.nats.exited;
  await cutJobs(stack.natsStore, 2 / 3);
  await stack.killNats();
  expect(await lastSeqOf(stack)).toBeLessThan(0.8 * before);
  await endsClean(bench, scheduled);
}, 120_000);

/**
 * Leaves the first part of what was appended to JOBS, messages and deletions alike, as a disk does that never got the rest.
 * The index is what the server writes now and then to start faster; without it the server reads the blocks.
 */
async function cutJobs(store: string, part: number): Promise<void> {
  const messages = join(store, 'jetstream', '$G', 'streams', 'JOBS', 'msgs');
  await rm(join(messages, 'index.db'), { force: true });
  const blocks = (await readdir(messages)).filter((name) => name.endsWith('.blk'));
  expect(blocks).toHaveLength(1);
  const block = await open(join(messages, blocks[0] ?? ''), 'r+');
  await block.truncate(Math.floor((await block.stat()).size * part));
  await block.close();
}

async function lastSeqOf(stack: Stack): Promise<number> {
  const bus = await connectBus({ servers: stack.nats.url, name: 'test' });
  const { lastSeq } = await jobsStreamState(bus);
  await bus.close();
  return lastSeq;
}
