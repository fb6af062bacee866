import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type RawJetStream, rawJetStream } from '../support/raw-jetstream.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
const RUNS_MS = 6_000;

let stack: Stack;
let ledger: Ledger;
let raw: RawJetStream;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack();
  raw = await rawJetStream(stack.nats.url);
  await Promise.all([stack.start('api'), stack.start('recorder')]);
  await Promise.all([stack.start('worker', { env }), stack.start('worker', { env })]);
}, 90_000);
afterAll(async () => {
  await raw?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

async function post(path: string, ms = 1): Promise<string> {
  const body = { task: 'test.wait', input: { ms, url: ledger.url + path } };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}
const startedJob = async (path: string): Promise<string> => {
  const id = await post(path, RUNS_MS);
  await waitUntil('it runs', () => ledger.effects.has(path));
  return id;
};
async function endsOnce(path: string, id: string): Promise<void> {
  expect((await stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).state).toBe('succeeded');
  expect(ledger.effects.get(path)?.arrivals).toHaveLength(1);
}

test('a consumer that an operator removed is made again; what runs meanwhile runs once', async () => {
  const running = await startedJob('/runs-without-consumer');
  await raw.removeConsumer('JOBS', 'default_normal');
  await endsOnce('/after-consumer', await post('/after-consumer'));
  await endsOnce('/runs-without-consumer', running);
  await raw.removeConsumer('EVENTS', 'recorder');
  await endsOnce('/after-recorder', await post('/after-recorder'));
}, 90_000);

test('so are the streams, and the jobs that were in them', async () => {
  const running = await startedJob('/runs-without-stream');
  await raw.removeStream('JOBS');
  await endsOnce('/after-jobs', await post('/after-jobs'));
  await raw.removeStream('EVENTS');
  await endsOnce('/after-events', await post('/after-events'));
  await endsOnce('/runs-without-stream', running);
}, 90_000);
