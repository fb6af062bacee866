import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '@jetbeat/client';
import type { Event } from '@jetbeat/core';
import { connectBus, eventsState, jobsStreamState } from '@jetbeat/jetstream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FileLedger, startFileLedger } from '../support/file-ledger.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROUNDS = Number(process.env['FORGOTTEN_ROUNDS'] ?? 2);
const JOBS = 8_000;
/** How many are done when the killing begins. */
const DONE = 2_500;
/** The recorder dies so much sooner, so that what it has told the workers is older than what they have settled. */
const RECORDER_FIRST_MS = 150;
const env = {
  JETBEAT_TASKS: join(import.meta.dirname, '../support/note-task.ts'),
  JETBEAT_CONCURRENCY: '200',
};

let stack: Stack;
let ledger: FileLedger;
let client: Client;

beforeAll(async () => {
  ledger = await startFileLedger();
  stack = await startStack();
  await (await stack.start('recorder')).ready();
  client = await connect({ servers: stack.nats.url });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

/** How many attempts of each job were stored as settled. */
async function settled(): Promise<Map<string, number>> {
  const raw = await rawJetStream(stack.nats.url);
  const runs = new Map<string, Set<string>>();
  await raw.readAll('EVENTS', (data) => {
    for (const event of JSON.parse(Buffer.from(data).toString()) as Event[]) {
      if (event.kind !== 'settled') continue;
      const known = runs.get(event.job) ?? new Set();
      runs.set(event.job, known.add(event.runId));
    }
  });
  await raw.close();
  return new Map([...runs].map(([job, { size }]) => [job, size]));
}

async function allDone(): Promise<void> {
  const bus = await connectBus({ servers: stack.nats.url, name: 'test' });
  const left = async () => {
    const { messages } = await jobsStreamState(bus);
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return messages + Math.max(0, lastSeq - recordedUpTo);
  };
  await waitUntil('every job is done and recorded', async () => (await left()) === 0, {
    timeoutMs: 60_000,
  }).catch(async (error: Error) => {
    const state = { jobs: await jobsStreamState(bus), events: await eventsState(bus) };
    const said = [...stack.apps].map((app) => `${app.name}:\n${app.output().slice(-3_000)}`).join('\n');
    throw new Error(`${error.message}: ${JSON.stringify(state)}\n${said}`);
  });
  await bus.close();
}

test('worker, recorder and nats-server die together, and the worker is back first: no stored outcome is made again', async () => {
  const ids: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const names = Array.from({ length: JOBS }, (_, index) => `${round}/${index}`);
    const jobs = await client.enqueueMany(
      'test.note',
      names.map((name) => ({ file: ledger.file, name })),
    );
    ids.push(...jobs.map(({ id }) => id));
    const recorder = [...stack.apps].find(({ name }) => name === 'recorder');
    const worker = await stack.start('worker', { env, eager: true });
    const before = round * JOBS;
    await waitUntil('many are done', async () => (await ledger.lines()) >= before + DONE, { everyMs: 5 });
    const recorderDies = recorder?.kill();
    await pause(RECORDER_FIRST_MS);
    const natsDies = stack.killNats();
    const workerDies = worker.kill();
    await Promise.all([recorderDies, natsDies, workerDies]);

    // Alone for as long as a recorder takes to start.
    const next = await stack.start('worker', { env });
    await stack.start('recorder');
    await allDone();
    await next.stop();
  }
  const effects = await ledger.read();
  expect(effects.size).toBe(ROUNDS * JOBS);
  const outcomes = await settled();
  expect(outcomes.size).toBe(ROUNDS * JOBS);
  expect(ids.filter((id) => !outcomes.has(id)).length).toBe(0);
  // A job that a worker's kill cut off has two effects and one outcome; whose outcome was stored must not run again.
  expect([...outcomes.values()].filter((runs) => runs > 1).length).toBe(0);
}, 180_000);
