import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { type RawJetStream, rawJetStream } from '../support/raw-jetstream.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
const RUNS_MS = 6_000;

const at = useLedgerStack();
let raw: RawJetStream;

beforeAll(async () => {
  raw = await rawJetStream(at.stack.nats.url);
  await Promise.all([at.stack.start('worker', { env }), at.stack.start('worker', { env })]);
}, 90_000);
afterAll(() => raw?.close());

const post = (path: string, ms = 1) => at.post('test.wait', path, { ms });
const startedJob = async (path: string): Promise<string> => {
  const id = await post(path, RUNS_MS);
  await waitUntil('it runs', () => at.ledger.effects.has(path));
  return id;
};
async function endsOnce(path: string, id: string): Promise<void> {
  expect((await at.stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).state).toBe('succeeded');
  expect(at.ledger.effects.get(path)?.arrivals).toHaveLength(1);
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
