import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '@jetbeat/client';
import { type Bus, connectBus, eventsState, jobsStreamState } from '@jetbeat/jetstream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type History, openHistory } from '../bench/history.ts';
import type { AppName } from '../support/app-process.ts';
import { type FileLedger, startFileLedger } from '../support/file-ledger.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { waitUntil } from '../support/wait-until.ts';

/** How long the load goes on, seconds; every kind is killed in turn, and again, as long as there is time. */
const SECONDS = Number(process.env['LOAD_S'] ?? 180);
const KILL_EVERY_MS = 12_000;
const KINDS = ['worker', 'recorder', 'scheduler', 'api', 'nats-server', 'postgres'] as const;
/** Half of what this machine carries now, within these bounds, jobs per second; `LOAD_RATE` says another rate. */
const RATE = { least: 200, most: 8_000 };
/** On a machine that is at its limit. */
const READY_MS = 120_000;
const CALIBRATION = { jobs: 20_000, inFlight: 500 };
/** So many jobs come through the API besides, and one each second from a schedule. */
const POST_EVERY_MS = 100;
const env = {
  JETBEAT_TASKS: join(import.meta.dirname, '../support/note-task.ts'),
  JETBEAT_CONCURRENCY: '500',
};

let stack: Stack;
let client: Client;
let bus: Bus;
let history: History;
/** What the load did, by the hundred thousand; and what the API's and the schedule's jobs did. */
let notes: FileLedger;
let calls: Ledger;
/** Path -> job id, for every POST that was answered 202. */
const accepted = new Map<string, string>();
const kills: { kind: string; at: number }[] = [];

beforeAll(async () => {
  notes = await startFileLedger();
  calls = await startLedger({ answerMs: 5 });
  stack = await startStack({ ackWait: '5s' });
  await Promise.all([stack.start('api'), stack.start('scheduler'), stack.start('recorder')]);
  await stack.start('worker', { env });
  client = await connect({ servers: stack.nats.url });
  bus = await connectBus({ servers: stack.nats.url, name: 'test' });
  history = openHistory(stack.postgres.url);
}, 120_000);
afterAll(async () => {
  await client?.close();
  await bus?.close();
  await history?.close();
  await stack?.stop();
  await calls?.stop();
  await notes?.stop();
}, 120_000);

/** Nothing waits in JOBS, and all of EVENTS is in history. */
async function allDone(timeoutMs: number): Promise<void> {
  const left = async () => {
    const { messages } = await jobsStreamState(bus);
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return { messages, batches: lastSeq - recordedUpTo };
  };
  const isDone = async () => {
    const { messages, batches } = await left();
    return messages === 0 && batches <= 0;
  };
  await waitUntil('all is done and recorded', isDone, { timeoutMs, everyMs: 100 }).catch(async () => {
    const said = [...stack.apps].map((app) => `${app.name}:\n${app.output().slice(-2_000)}`).join('\n');
    throw new Error(`not done within ${timeoutMs} ms, left: ${JSON.stringify(await left())}\n${said}`);
  });
}

/** What the whole way carries here and now, jobs per second, by single calls that wait for each other. */
async function capacity(): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < CALIBRATION.jobs)
      await client.enqueue('test.note', { file: notes.file, name: `c${next++}` });
  };
  await Promise.all(Array.from({ length: CALIBRATION.inFlight }, caller));
  await allDone(120_000);
  return (CALIBRATION.jobs * 1_000) / (performance.now() - begun);
}

async function kill(kind: (typeof KINDS)[number]): Promise<void> {
  kills.push({ kind, at: Date.now() });
  if (kind === 'nats-server') return stack.killNats();
  if (kind === 'postgres') return stack.killPostgres();
  const app = [...stack.apps].find(({ name }) => name === kind);
  if (!app) throw new Error(`the ${kind} has ended by itself`);
  const next = await stack.restart(app, { eager: true, ...(kind === 'worker' ? { env } : {}) });
  await next.ready(READY_MS);
}

/** Posts jobs until it is aborted. A call that a kill cut off may or may not have made a job; it is not counted. */
async function post(signal: AbortSignal): Promise<void> {
  const open: Promise<unknown>[] = [];
  for (let number = 0; !signal.aborted; number++) {
    const path = `/post/${number}`;
    const job = { task: 'http.request', input: { url: calls.url + path } };
    const call = stack.http.call<{ id: string }>('POST', '/jobs', job).then(
      ({ status, body }) => void (status === 202 && accepted.set(path, body.id)),
      () => undefined,
    );
    open.push(call);
    await pause(POST_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(open);
}

/** Ids of jobs that history has as succeeded, of a task; chunk by chunk. */
async function succeeded(task: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const rows = await history.rows<{ id: string }>(
      `select id::text from job where task = ? and state = 'succeeded' and id > ?::uuid order by id limit 50000`,
      [task, after],
    );
    for (const { id } of rows) ids.add(id);
    const last = rows.at(-1)?.id;
    if (last === undefined) return ids;
    after = last;
  }
}

test('half of what the machine carries, while every process is killed in turn: all accounted for', async () => {
  const schedule = {
    name: 'tick',
    when: { every: '1s' },
    overlap: 'allow',
    catchUp: { all: 100 },
    job: { task: 'http.request', input: { url: `${calls.url}/tick` } },
  };
  const carries = await capacity();
  const half = Math.round(Math.min(RATE.most, Math.max(RATE.least, carries / 2)));
  const perSecond = Number(process.env['LOAD_RATE'] ?? half);
  console.info({ carries: Math.round(carries), perSecond });
  expect(await stack.http.call('POST', '/schedules', schedule)).toMatchObject({ status: 201 });

  const posting = new AbortController();
  onTestFinished(() => posting.abort());
  const posted = post(posting.signal);
  const load = startSteadyLoad({ client, perSecond, file: notes.file });
  onTestFinished(() => load.stop());
  const end = Date.now() + SECONDS * 1_000;
  for (let turn = 0; Date.now() + KILL_EVERY_MS < end || turn < KINDS.length; turn++) {
    const next = Date.now() + KILL_EVERY_MS;
    const kind = KINDS[turn % KINDS.length];
    if (kind) await kill(kind);
    await pause(Math.max(0, next - Date.now()));
  }
  expect(await stack.http.call('POST', '/schedules/tick/pause', {})).toMatchObject({ status: 200 });
  posting.abort();
  await posted;
  await load.stop();
  const stopped = performance.now();
  await allDone(300_000);
  const catchUpS = Math.round((performance.now() - stopped) / 100) / 10;

  // What the servers say: nothing is open, and no job has two outcomes.
  const states = await history.rows('select task, state, count(*)::int as jobs from job group by 1, 2');
  const [twice] = await history.rows<{ jobs: number }>(
    `select count(*)::int as jobs from (select job_id from attempt where outcome = 'succeeded'
       group by job_id having count(*) > 1) as doubled`,
  );
  const { confirmed, unsure, refused } = load;
  const ran = await succeeded('test.note');
  const effects = await notes.read();
  const doubled = [...effects].filter(([, count]) => count > 1).map(([name]) => name);
  console.info({
    confirmed: confirmed.size,
    unsure: unsure.size,
    refused: refused.size,
    states,
    catchUpS,
    posted: accepted.size,
    doubled: doubled.length,
    kills: kills.map(({ kind }) => kind).join(' '),
  });
  expect(states.filter((row) => (row as { state: string }).state !== 'succeeded')).toEqual([]);
  expect(twice).toEqual({ jobs: 0 });

  // Every job of the load: a confirmed one has run and is in history, and what ran is in history.
  expect([...confirmed].filter(([id, name]) => !ran.has(id) || !effects.has(name))).toEqual([]);
  expect([...refused].filter(([id, name]) => ran.has(id) || effects.has(name))).toEqual([]);
  expect([...unsure].filter(([id, name]) => ran.has(id) !== effects.has(name))).toEqual([]);
  const stored = [...unsure.keys()].filter((id) => ran.has(id)).length;
  expect(ran.size).toBe(CALIBRATION.jobs + confirmed.size + stored);
  expect(effects.size).toBe(ran.size);
  // No outcome was stored twice, so what ran twice was cut off before its outcome was stored: by a worker's own kill.
  const workerKills = kills.filter(({ kind }) => kind === 'worker').length;
  expect(doubled.length).toBeLessThanOrEqual(workerKills * 5_000);

  // The API's jobs and the schedule's.
  const http = await succeeded('http.request');
  expect([...accepted].filter(([path, id]) => !http.has(id) || !calls.effects.has(path))).toEqual([]);
  // It was paused at the end.
  const ticks = await history.rows<{ state: string; count: number }>(
    `select state, count(*)::int as count from occurrence
     where reason is null or reason->>'code' <> 'paused' group by state`,
  );
  console.info({ ticks, hits: calls.effects.get('/tick')?.arrivals.length });
  expect(ticks.map(({ state }) => state)).toEqual(['dispatched']);
  expect(calls.effects.get('/tick')?.arrivals.length).toBeGreaterThanOrEqual(ticks[0]?.count ?? 0);
  expect([...stack.apps].map(({ name }) => name).sort()).toEqual<AppName[]>([
    ...(['api', 'recorder', 'scheduler', 'worker'] as const),
  ]);
}, 900_000);
