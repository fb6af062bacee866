import { jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LimitedNats, startLimitedNats } from '../../../../test/support/limited-nats.ts';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { type BusOptions, connectBus } from '../connection/connect-bus.ts';
import { QueuesUnmadeError } from '../connection/errors.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { toPublish } from '../testing.ts';
import { keepTopology } from './keep-topology.ts';
import { LANES } from './names.ts';
import { consumerState } from './stream-state.ts';
import { ensureTopology } from './topology.ts';

let raw: Awaited<ReturnType<typeof connect>>;
let limited: LimitedNats;
const buses: Bus[] = [];
const open = async (options: Omit<BusOptions, 'name'>) => {
  const bus = await connectBus({ ...options, name: 'test' });
  buses.push(bus);
  return bus;
};
beforeAll(async () => {
  raw = await connect({ servers: natsUrl() });
  // Two queues, and a half.
  limited = await startLimitedNats({ maxConsumers: 2.5 * LANES.length });
}, 30_000);
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await raw?.close();
  await limited?.stop();
});

test('there may be more queues than a nats-server lets a stream have by itself, also of an installation that is there', async () => {
  const namespace = testNamespace();
  const bus = await open({ servers: natsUrl(), namespace });
  const name = `${namespace}_JOBS`;
  const jsm = await jetstreamManager(raw);
  const bound = async () => (await jsm.streams.info(name)).config.max_consumers;
  await ensureTopology(bus, { ...testTopology, queues: [] });
  expect(await bound()).toBe(10_000);
  // As it was made by those who said nothing of it.
  const allow = (max_consumers: number) =>
    jsm.streams.update(name, { max_consumers } as Partial<StreamConfig>);
  await allow(12);
  const queues = ['a', 'b', 'c'];
  await ensureTopology(bus, { ...testTopology, queues });
  expect(await bound()).toBe(10_000);
  expect((await jsm.streams.info(name)).state.consumer_count).toBe(queues.length * LANES.length);
  // An operator may allow more.
  await allow(20_000);
  await ensureTopology(bus, { ...testTopology, queues });
  expect(await bound()).toBe(20_000);
});

test('many queues are looked at together: what is missing is made, what differs is changed, what is right is left', async () => {
  const namespace = testNamespace();
  const bus = await open({ servers: natsUrl(), namespace });
  const queues = Array.from({ length: 50 }, (_, index) => `q${index}`);
  await ensureTopology(bus, { ...testTopology, queues });
  const jsm = await jetstreamManager(raw);
  const name = `${namespace}_JOBS`;
  await jsm.consumers.delete(name, 'q7_low');
  await jsm.consumers.update(name, 'q8_low', { ack_wait: 1e9 });
  const asked: string[] = [];
  raw.subscribe(`$JS.API.CONSUMER.>`, { callback: (_error, { subject }) => void asked.push(subject) });
  await raw.flush();
  await ensureTopology(bus, { ...testTopology, queues });
  await raw.flush();
  const own = asked.filter((subject) => subject.includes(name)).map((subject) => subject.split('.'));
  const calls = (call: string) => own.filter(([, , , one]) => one === call).map((tokens) => tokens[5]);
  // 300 of them, 256 at a time.
  expect(calls('LIST')).toHaveLength(2);
  expect([...new Set(calls('INFO'))].toSorted()).toEqual(['q7_low', 'q8_low']);
  expect(calls('CREATE').toSorted()).toEqual(['q7_low', 'q8_low']);
  expect((await jsm.consumers.info(name, 'q8_low')).config.ack_wait).toBe(testTopology.ackWaitMs * 1e6);
});

test('a queue for which the server has no room is named, with what to do, and takes none of the others with it', async () => {
  const bus = await open({ servers: limited.url, namespace: 'acme' });
  const made = ensureTopology(bus, { ...testTopology, queues: ['one', 'more', 'two', 'tiny'] });
  const error = await made.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(QueuesUnmadeError);
  expect(error).toMatchObject({
    code: 'nats_unfit',
    queues: ['two', 'tiny'],
    message: expect.stringMatching(
      /the queue two and 1 more: .*error 10026.* of which each queue has 6; .*max_consumers of the stream acme_JOBS/,
    ),
  });
  expect(await publishJobs(bus, [toPublish({ queue: 'more' })])).toMatchObject([{ ok: true }]);
  expect(await consumerState(bus, 'more', 'normal')).toMatchObject({ pending: 1 });
  // Also where many are looked at together, and what is there is left.
  const many = Array.from({ length: 12 }, (_, index) => `many${index}`);
  await expect(ensureTopology(bus, { ...testTopology, queues: ['one', ...many] })).rejects.toMatchObject({
    queues: many,
  });
});

test('an app goes on without the queues for which there is no room, and says so', async () => {
  const said: unknown[] = [];
  const warn = (fields: object, text: string) =>
    void said.push([text, (fields as { err: Error }).err.message]);
  const log = { debug() {}, info() {}, error() {}, warn };
  const bus = await open({ servers: limited.url, namespace: 'other', log });
  await keepTopology(bus, { ...testTopology, queues: ['one', 'more', 'two'] });
  expect(said).toEqual([
    ['some queues cannot be made', expect.stringContaining('no worker can take jobs from the queue two: ')],
  ]);
});
