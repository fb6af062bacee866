import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { toPublish } from '../testing.ts';
import { LANES, streamName } from './names.ts';
import { consumerState } from './stream-state.ts';
import { ensureTopology } from './topology.ts';
import { viewJetStream } from './view.ts';

const namespace = testNamespace();
const buses: Bus[] = [];
let raw: Awaited<ReturnType<typeof connect>>;

const open = async () => {
  const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  buses.push(bus);
  return bus;
};

beforeAll(async () => {
  raw = await connect({ servers: natsUrl() });
});
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await raw.close();
});

test('many processes at once make the same topology, and again nothing changes', async () => {
  const many = await Promise.all(Array.from({ length: 6 }, open));
  await Promise.all(many.map((bus) => ensureTopology(bus, { ...testTopology, queues: ['default', 'mail'] })));
  const jsm = await jetstreamManager(raw);
  const jobs = await jsm.streams.info(`${namespace}_JOBS`);
  expect(jobs.config).toMatchObject({
    retention: 'workqueue',
    storage: 'file',
    allow_msg_schedules: true,
    allow_atomic: true,
    allow_direct: true,
    duplicate_window: 120e9,
    max_age: 0,
    max_bytes: -1,
    max_msgs: -1,
  });
  const events = await jsm.streams.info(`${namespace}_EVENTS`);
  expect(events.config).toMatchObject({
    retention: 'limits',
    discard: 'new',
    max_bytes: testTopology.eventsMaxBytes,
  });
  const dead = await jsm.streams.info(`${namespace}_DEAD`);
  expect(dead.config).toMatchObject({ retention: 'limits', max_age: 30 * 86_400e9 });
  const consumers = await jsm.consumers.list(`${namespace}_JOBS`).next();
  expect(consumers.map(({ name }) => name).sort()).toEqual(
    ['default', 'mail'].flatMap((queue) => LANES.toSorted().map((lane) => `${queue}_${lane}`)),
  );
  const writes: string[] = [];
  for (const call of ['STREAM.CREATE', 'STREAM.UPDATE', 'CONSUMER.CREATE']) {
    raw.subscribe(`$JS.API.${call}.>`, { callback: (_error, message) => void writes.push(message.subject) });
  }
  await raw.flush();
  await ensureTopology(many[0] as Bus, { ...testTopology, queues: ['default', 'mail'] });
  await raw.flush();
  expect(writes.filter((subject) => subject.includes(namespace))).toEqual([]);
  expect(consumers[0]?.config).toMatchObject({
    ack_wait: 30e9,
    max_ack_pending: 20_000,
    max_waiting: 10_000,
    max_deliver: -1,
  });
});

test('a changed acknowledgement wait and bound are taken over, a queue that is not named stays', async () => {
  const bus = await open();
  await ensureTopology(bus, {
    queues: ['default', 'mail'],
    ackWaitMs: 30_000,
    eventsMaxBytes: testTopology.eventsMaxBytes,
  });
  const eventsMaxBytes = 16 * 1024 ** 2;
  await ensureTopology(bus, { queues: ['default'], ackWaitMs: 2_000, eventsMaxBytes });
  const jsm = await jetstreamManager(raw);
  const info = (name: string) => jsm.consumers.info(`${namespace}_JOBS`, name);
  expect((await info('default_low')).config).toMatchObject({ ack_wait: 2e9, max_waiting: 10_000 });
  expect((await info('mail_low')).config.ack_wait).toBe(30e9);
  const eventsRoom = async () => (await jsm.streams.info(`${namespace}_EVENTS`)).config.max_bytes;
  expect(await eventsRoom()).toBe(eventsMaxBytes);
  // Whoever does not say it leaves what another set.
  await ensureTopology(bus, { queues: ['default'], ackWaitMs: 2_000 });
  expect(await eventsRoom()).toBe(eventsMaxBytes);
});

test('a store without room for EVENTS is said so', async () => {
  const bus = await open();
  await expect(
    ensureTopology(bus, { queues: [], ackWaitMs: 1_000, eventsMaxBytes: 2 ** 45 }),
  ).rejects.toThrow(
    expect.objectContaining({ code: 'nats_unfit', message: expect.stringContaining('max_file_store') }),
  );
});

test('an installation that knew no front lanes is given them, and keeps what waits', async () => {
  const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  buses.push(bus);
  const params = { ...testTopology, queues: ['default'] };
  await ensureTopology(bus, params);
  const jsm = await jetstreamManager(raw);
  const name = streamName(bus, 'JOBS');
  for (const lane of LANES.filter((one) => one.endsWith('-front')))
    await jsm.consumers.delete(name, `default_${lane}`);
  const { subjects } = (await jsm.streams.info(name)).config;
  await jsm.streams.update(name, { subjects: subjects.filter((subject) => !subject.includes('-front')) });
  expect(await publishJobs(bus, [toPublish()])).toMatchObject([{ ok: true }]);
  expect(await consumerState(bus, 'default', 'normal')).toMatchObject({ pending: 1, idle: false });

  await ensureTopology(bus, params);
  expect(await publishJobs(bus, [toPublish({}, { front: true })])).toMatchObject([{ ok: true }]);
  expect(await consumerState(bus, 'default', 'normal')).toMatchObject({
    pending: 2,
    delivered: 0,
    idle: false,
  });
  expect((await viewJetStream(bus)()).lanes.filter(({ pending }) => pending > 0)).toMatchObject([
    { queue: 'default', priority: 'normal', pending: 2 },
  ]);
});
