import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { createEventPublisher } from '../events/event-publisher.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob, publishDead } from '../publishing/publish-one.ts';
import { settled, TestSource, testJob, toPublish } from '../testing.ts';
import { deleteJobMessage } from '../waiting/find-message.ts';
import { ensureTopology } from './topology.ts';
import { countWaiting, viewJetStream } from './view.ts';

let bus: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues: ['default', 'a_high'] });
});
afterAll(() => bus?.close());

test('what JetStream holds: lanes, timers, parked jobs, dead letters, what is not recorded', async () => {
  const view = viewJetStream(bus);
  const empty = await view();
  expect(empty).toMatchObject({ deadLetters: 0, parked: 0, timers: 0, unrecorded: 0, unrecordedMs: 0 });
  const nothing = { pending: 0, inFlight: 0, redelivered: 0, pulls: 0, oldestMs: 0 };
  expect(empty.lanes).toHaveLength(6);
  expect(empty.lanes).toContainEqual({ queue: 'a_high', priority: 'low', ...nothing });

  const traceparent = toPublish().traceparent;
  await publishJobs(bus, [
    ...Array.from({ length: 5 }, () => toPublish()),
    toPublish({ queue: 'a_high', priority: 'high' }),
    toPublish({}, { at: Date.now() + 600_000 }),
    toPublish({}, { at: Date.now() + 600_000 }),
  ]);
  const source = new TestSource(bus);
  await source.pull({ batch: 2 });
  await parkJob(bus, { envelope: testJob(), what: { what: 'doubt' }, traceparent });
  await publishDead(bus, { reason: { code: 'x', text: 'x' }, traceparent, from: { envelope: testJob() } });
  const events = createEventPublisher(bus);
  await events.publish(settled(testJob()));

  const full = await view();
  expect(full).toMatchObject({ deadLetters: 1, parked: 1, timers: 2, unrecorded: 1 });
  expect(full.lanes.filter((lane) => lane.pending + lane.inFlight > 0)).toMatchObject([
    { queue: 'a_high', priority: 'high', pending: 1, inFlight: 0 },
    { queue: 'default', priority: 'normal', pending: 3, inFlight: 2 },
  ]);
  for (const { pending, oldestMs } of full.lanes) {
    if (pending > 0) expect(oldestMs).toBeGreaterThan(0);
    else expect(oldestMs).toBe(0);
    expect(oldestMs).toBeLessThan(20_000);
  }
  expect(full.unrecordedMs).toBeGreaterThanOrEqual(0);
  expect(full.unrecordedMs).toBeLessThan(20_000);
  expect(full.streams.map(({ stream, messages }) => [stream, messages])).toEqual([
    ['JOBS', 9],
    ['EVENTS', 1],
    ['DEAD', 1],
  ]);
  for (const delivery of source.deliveries) delivery.ack();
  await source.source.close();
  await bus.flush();
  await expect
    .poll(async () => (await view()).lanes.find((lane) => lane.queue === 'default' && lane.pending > 0))
    .toMatchObject({ pending: 3, inFlight: 0 });
});

test('a parked job is seen when it takes the place of a timer, or of a job that was just on its way', async () => {
  const own = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  try {
    await ensureTopology(own, { ...testTopology, queues: ['default'] });
    const view = viewJetStream(own);
    // A queue that no worker serves has no consumer: its lane is made of what is there.
    const [timer, waiting] = await publishJobs(own, [
      toPublish({}, { at: Date.now() + 600_000 }),
      toPublish({ queue: 'elsewhere' }),
    ]);
    if (!timer?.ok || !waiting?.ok) throw new Error('not stored');
    const before = await view();
    expect(before).toMatchObject({ parked: 0, timers: 1 });
    const [lane, ...more] = before.lanes.filter(({ queue }) => queue === 'elsewhere');
    expect(lane).toMatchObject({ priority: 'normal', pending: 1, inFlight: 0, pulls: 0 });
    expect(lane?.oldestMs).toBeLessThan(20_000);
    expect(more).toEqual([]);
    for (const { seq } of [timer, waiting]) {
      await deleteJobMessage(own, seq);
      await parkJob(own, { envelope: testJob(), what: { what: 'task', task: 'test.noop' } });
    }
    expect(await view()).toMatchObject({ parked: 2, timers: 0 });
  } finally {
    await own.close();
  }
});

test('where there are many queues, the oldest job is told of those in which jobs wait', async () => {
  const own = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  try {
    const queues = Array.from({ length: 20 }, (_, index) => `q${index + 10}`);
    await ensureTopology(own, { ...testTopology, queues });
    for (const queue of queues) await publishJobs(own, [toPublish({ queue })]);
    const view = viewJetStream(own);
    const old = async () => (await view()).lanes.filter(({ oldestMs }) => oldestMs > 0).length;
    await expect.poll(old).toBe(queues.length);
  } finally {
    await own.close();
  }
});

test('jobs of queues that nobody serves are counted, also those of more queues than are shown as lanes; or it is said that they are not', async () => {
  const own = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  try {
    await ensureTopology(own, { ...testTopology, queues: ['default'] });
    const queues = ['a', 'b', 'c', 'd'];
    await publishJobs(own, [
      toPublish(),
      toPublish({}, { at: Date.now() + 600_000 }),
      ...queues.map((queue) => toPublish({ queue })),
      toPublish({ queue: 'd', priority: 'low' }),
      toPublish({ queue: 'd', task: 'test.other' }),
    ]);
    const found = await viewJetStream(own, { mostUnserved: 2 })();
    const unserved = found.lanes.filter(({ queue }) => queue !== 'default');
    expect(unserved).toHaveLength(2);
    expect(unserved).toContainEqual(expect.objectContaining({ queue: 'd', priority: 'normal', pending: 2 }));
    // What is not shown is no timer.
    expect(found).toMatchObject({ parked: 0, timers: 1 });
    const ofAll = ['a', 'b', 'c'].map((queue) => ({ queue, priority: 'normal', jobs: 1 }));
    const ofD = [
      { queue: 'd', priority: 'normal', jobs: 2 },
      { queue: 'd', priority: 'low', jobs: 1 },
    ];
    expect(found.unserved).toHaveLength(5);
    expect(found.unserved).toEqual(expect.arrayContaining([...ofAll, ...ofD]));
    const many = await viewJetStream(own, { mostSubjects: 6 })();
    expect(many).not.toHaveProperty('unserved');
    expect(many.lanes.map(({ queue }) => queue)).not.toContain('d');
    expect(await countWaiting(own, 'd')).toEqual(ofD);
    expect(await countWaiting(own, 'nowhere')).toEqual([]);
  } finally {
    await own.close();
  }
});
