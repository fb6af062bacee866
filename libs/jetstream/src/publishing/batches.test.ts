import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OwnNats, startOwnNats, testTopology } from '../../../../test/support/nats.ts';
import { type BreakableWay, startProxy } from '../../../../test/support/proxy.ts';
import { type BusConnection, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { toPublish } from '../testing.ts';
import { findMessage } from '../waiting/find-message.ts';
import { BatchUse } from './batch-use.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { publishBatches } from './publish-batches.ts';
import { publishJobs } from './publish-jobs.ts';

const BOUND = 5_000;
const LARGE = 'x'.repeat(8_000);
const SOON = { interval: 5, timeout: 15_000 };
let nats: OwnNats;
let proxy: BreakableWay;
let bus: BusConnection;
let raw: NatsConnection;

beforeAll(async () => {
  nats = await startOwnNats();
});
beforeEach(async () => {
  proxy = await startProxy(Number(new URL(nats.url).port));
  bus = inside(await connectBus({ servers: `nats://127.0.0.1:${proxy.port}`, name: 'test' }));
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
  raw = await connect({ servers: nats.url });
  await (await jetstreamManager(raw)).streams.purge('JOBS');
});
afterEach(async () => {
  await bus?.close();
  await raw?.close();
  await proxy?.stop();
});
afterAll(async () => {
  await nats?.stop();
});

const many = (count: number, how: Partial<JobToPublish> = {}) =>
  Array.from({ length: count }, () => toPublish({}, how));

/** Every result names the message of its job; what is stored is stored once, and is all there is. */
async function expectStored(items: readonly JobToPublish[], results: readonly PublishResult[]) {
  const ids = new Map<number, string>();
  for (const [index, result] of results.entries()) {
    if (!result.ok) throw result.error;
    ids.set(result.seq, items[index]?.envelope.id ?? '');
  }
  const { messages } = await jobsStreamState(bus);
  expect([messages, ids.size]).toEqual([items.length, items.length]);
  const picked = [...ids].filter((_, place) => place % 97 === 0 || place === ids.size - 1);
  for (const [seq, id] of picked) expect((await findMessage(bus, { seq }))?.envelope?.id).toBe(id);
}

/** Whether the job is stored as one of a batch. */
async function isOfBatch(result: PublishResult | undefined): Promise<boolean> {
  if (!result?.ok) throw new Error('it is not stored');
  return (await findMessage(bus, { seq: result.seq }))?.headers.has('Nats-Batch-Id') ?? false;
}

test('jobs and timers of batches are stored, and each is told its own sequence, whoever publishes beside', async () => {
  const hour = Date.now() + 3_600_000;
  const items = many(2_300).map((item, index) => (index % 3 === 0 ? { ...item, at: hour } : item));
  const others = [many(700), many(400)];
  const [results, ...rest] = await Promise.all([
    publishBatches(bus, items, BOUND),
    ...others.map((list) => publishJobs(bus, list)),
    publishBatches(bus, many(300), BOUND),
  ]);
  expect(await isOfBatch(results?.[0])).toBe(true);
  const all = [items, ...others, []].flat();
  const answers = [results, rest[0], rest[1]].flat().filter((result) => result !== undefined);
  expect(answers.map((result) => result.ok && !result.duplicate)).toEqual(all.map(() => true));
  expect(answers.map((result) => result.ok && result.delayed)).toEqual(all.map(({ at }) => at !== undefined));
  for (const [index, answer] of answers.entries()) {
    if (index % 61 !== 0 || !answer.ok) continue;
    expect((await findMessage(bus, { seq: answer.seq }))?.envelope).toEqual(all[index]?.envelope);
  }
  expect((await jobsStreamState(bus)).messages).toBe(all.length + 300);
});

test('large jobs make smaller batches, and one that is too large fails alone', async () => {
  const items = Array.from({ length: 120 }, (_, index) =>
    toPublish({ input: 'x'.repeat(index === 60 ? bus.maxPayload : 8_000) }),
  );
  const results = await publishBatches(bus, items, BOUND);
  expect(results[60]).toMatchObject({ ok: false, error: { code: 'payload_too_large' } });
  const rest = (_: unknown, index: number) => index !== 60;
  await expectStored(items.filter(rest), results.filter(rest));
  expect(await isOfBatch(results[0])).toBe(true);
});

test('a batch with a job that is known already, or twice in it, stores every job once and says which', async () => {
  const [known, twice, ...others] = many(200);
  if (!known || !twice) throw new Error('there are 200');
  const [first] = await publishJobs(bus, [known]);
  const items = [...others, known, twice, twice];
  const results = await publishBatches(bus, items, BOUND);
  const duplicates = results.map((result) => result.ok && result.duplicate);
  expect(duplicates).toEqual([...others.map(() => false), true, false, true]);
  expect(results[198]).toMatchObject({ seq: first?.ok && first.seq });
  expect((await jobsStreamState(bus)).messages).toBe(200);
});

test('a batch whose answer is lost with the connection is known as stored, and stored once', async () => {
  const items = many(500);
  proxy.mute();
  const publishing = publishBatches(bus, items, BOUND);
  await expect.poll(async () => messagesOf(raw), SOON).toBe(items.length);
  proxy.cut();
  const results = await publishing;
  expect(results.every((result) => result.ok && result.duplicate)).toBe(true);
  await expectStored(items, results);
});

test('a batch that is not answered in time is asked for job by job', async () => {
  const items = many(60);
  let seen = 0;
  raw.subscribe('jobs.>', { callback: () => void seen++ });
  await raw.flush();
  proxy.mute();
  const publishing = publishBatches(bus, items, 15_000);
  // After 2 s without an answer they are sent again, one by one; then the way is made whole.
  await expect.poll(() => seen, SOON).toBe(2 * items.length);
  proxy.cut();
  const results = await publishing;
  expect(results.every((result) => result.ok && result.duplicate)).toBe(true);
  await expectStored(items, results);
});

test('of a batch that is cut off in the middle nothing is stored but what is sent again', async () => {
  const items = many(800);
  const cut = proxy.cutAfter(150_000);
  const publishing = publishBatches(bus, items, BOUND);
  await cut;
  const results = await publishing;
  expect(results.every((result) => result.ok && !result.duplicate)).toBe(true);
  await expectStored(items, results);
  // A server that was killed might have forgotten their ids.
  const { headers: found } = (await findMessage(bus, { seq: seqOf(results[0]) })) ?? {};
  expect([found?.get('Jetbeat-Repeat'), found?.has('Nats-Batch-Id')]).toEqual(['1', false]);
});

test('a server that is killed in the midst of batches loses no job and stores none twice', async () => {
  const items = many(10_000);
  const publishing = publishBatches(bus, items, 15_000);
  await expect.poll(async () => messagesOf(raw), SOON).toBeGreaterThan(500);
  await nats.kill();
  await nats.start();
  const results = await publishing;
  await expectStored(items, results);
});

test('while the server is away every job is told so, in time for all', async () => {
  await nats.kill();
  try {
    await expect.poll(() => bus.connected, SOON).toBe(false);
    // 48 batches, three at a time: one after the other they would wait for 24 s.
    const items = Array.from({ length: 3_072 }, () => toPublish({ input: LARGE }));
    const begun = performance.now();
    const results = await publishBatches(bus, items, 1_500);
    expect(performance.now() - begun).toBeLessThan(15_000);
    for (const result of results)
      expect(result).toMatchObject({ ok: false, error: { code: 'not_connected' } });
  } finally {
    await nats.start();
  }
});

test('while the stream has no place for another batch the jobs wait a moment, then go one by one', async () => {
  const opened = await openBatches(50);
  const items = many(100);
  const alone = await publishBatches(bus, items, BOUND);
  await expectStored(items, alone);
  expect(await isOfBatch(alone[0])).toBe(false);
  const more = many(100);
  const publishing = publishBatches(bus, more, BOUND);
  await opened.end();
  expect(await isOfBatch((await publishing)[0])).toBe(true);
});

test('a stream that takes no batches gets the jobs one by one', async () => {
  const manager = await jetstreamManager(raw);
  const { config } = await manager.streams.info('JOBS');
  await manager.streams.update('JOBS', { ...config, allow_atomic: false });
  const items = many(100);
  const results = await publishBatches(bus, items, BOUND);
  await expectStored(items, results);
  await manager.streams.update('JOBS', { ...config, allow_atomic: true });
});

test('without the stream, or with a closed connection, every job is told so', async () => {
  const manager = await jetstreamManager(raw);
  await manager.streams.delete('JOBS');
  const codes = (results: readonly PublishResult[]) =>
    new Set(results.map((result) => !result.ok && result.error.code));
  // What a busy server has not answered yet when the time is over may be stored, for all that anybody knows.
  await expect
    .poll(async () => codes(await publishBatches(bus, many(100), 2_500)), SOON)
    .toEqual(new Set(['no_stream']));
  expect(await bus.part(BatchUse).pays()).toBe(false);
  await bus.close();
  expect(codes(await publishBatches(bus, many(100), BOUND))).toEqual(new Set(['nats_closed']));
});

function seqOf(result: PublishResult | undefined): number {
  return result?.ok ? result.seq : 0;
}

async function messagesOf(connection: NatsConnection): Promise<number> {
  try {
    return (await (await jetstreamManager(connection)).streams.info('JOBS')).state.messages;
  } catch {
    return -1;
  }
}

/** Opens batches and leaves them open, as a program does that was stopped in the middle. */
async function openBatches(count: number): Promise<{ end(): Promise<void> }> {
  const subject = 'jobs.default.normal.test.noop';
  const send = (batch: number, sequence: number) => {
    const made = headers();
    made.set('Nats-Batch-Id', `open${batch}`);
    made.set('Nats-Batch-Sequence', String(sequence));
    return raw.request(subject, 'x', { headers: made, timeout: 2_000 });
  };
  for (let batch = 0; batch < count; batch++) await send(batch, 1);
  return {
    // A gap ends a batch.
    end: async () => {
      for (let batch = 0; batch < count; batch++) await send(batch, 9);
    },
  };
}
