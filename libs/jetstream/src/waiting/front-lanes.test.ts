import { concurrencyHash } from '@jetbeat/core';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { type Bus, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob } from '../publishing/publish-one.ts';
import { durableName, LANES, type Lane, laneSubjects, overlap, streamName } from '../streams/names.ts';
import { consumerState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { TestSource, testJob, toPublish } from '../testing.ts';
import { findMessage, findParked } from './find-message.ts';
import { FrontLanes } from './front-lanes.ts';
import { putBack } from './put-back.ts';
import { takeWaiting } from './take-waiting.ts';

const queues = ['default', 'old', 'pulled', 'taken'];
let bus: Bus;
let raw: NatsConnection;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'front-lanes', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues });
  raw = await connect({ servers: natsUrl() });
});
afterAll(async () => {
  await bus?.close();
  await raw?.close();
});

/** Publishes a job; its id, and where it is. */
async function add(queue: string, front = false) {
  const item = toPublish({ queue }, { front });
  const [result] = await publishJobs(bus, [item]);
  if (!result?.ok) throw new Error('not stored');
  return { id: item.envelope.id, seq: result.seq };
}

/** Parks a job and puts it back. Returns the lane that it went to. */
async function backOn(queue: string): Promise<string | undefined> {
  const envelope = testJob({ queue, parks: 1, priority: 'low' });
  const what = { what: 'key', hash: concurrencyHash('k') } as const;
  await parkJob(bus, { envelope, what, arrival: { seq: 1, storedAt: 1 } });
  const parked = await findParked(bus, { queue, id: envelope.id });
  if (!parked) throw new Error('not parked');
  const told: number[] = [];
  const events = {
    async publish(event: object) {
      if ('seq' in event && typeof event.seq === 'number') told.push(event.seq);
      return { seq: 0 };
    },
  };
  expect(await putBack({ bus, events, now: Date.now }, [parked])).toEqual([true]);
  const [seq = 0] = told;
  const found = await findMessage(bus, { seq });
  expect(found?.envelope).toMatchObject({ id: envelope.id, priority: 'low' });
  return found?.subject.split('.').at(3);
}

test('who waits on a front lane is no sign that somebody has nothing to do', async () => {
  const { source } = new TestSource(bus, { queue: 'pulled' });
  const pulls = async () => [source.pulls('normal'), (await consumerState(bus, 'pulled', 'normal')).pulls];
  source.pull('normal-front', { batch: 1, expiresMs: 10_000 });
  source.pull('high', { batch: 1, expiresMs: 10_000 });
  await expect.poll(async () => (await consumerState(bus, 'pulled', 'high')).pulls).toBe(1);
  expect(await pulls()).toEqual([0, 0]);
  source.pull('normal', { batch: 1, expiresMs: 10_000 });
  await expect.poll(pulls).toEqual([1, 1]);
  await source.close();
});

test('what waits in one lane can be taken out, though the other has handed out what is newer; what was handed out cannot', async () => {
  const worker = new TestSource(bus, { queue: 'taken' });
  const first = await add('taken');
  await worker.pull({ batch: 1 });
  const [second, third] = [await add('taken'), await add('taken')];
  const front = await add('taken', true);
  worker.source.pull('normal-front', { batch: 1 });
  await worker.until(() => worker.deliveries.length === 2);
  expect(worker.deliveries.map(({ seq }) => seq)).toEqual([first.seq, front.seq]);
  const { delivered, deliveredPlain } = await consumerState(bus, 'taken', 'normal');
  expect([delivered, deliveredPlain]).toEqual([front.seq, first.seq]);

  expect(await takeWaiting(bus, first)).toBe(false);
  expect(await takeWaiting(bus, front)).toBe(false);
  // It is another job's.
  expect(await takeWaiting(bus, { id: second.id, seq: third.seq })).toBe(false);
  expect(await takeWaiting(bus, second)).toBe(true);
  expect(await takeWaiting(bus, second)).toBe(false);
  for (const { seq } of [first, front, third]) expect(await findMessage(bus, { seq })).toBeDefined();
  expect(await findMessage(bus, { seq: second.seq })).toBeUndefined();
  await worker.source.close();
});

test('what was parked goes by the front lane where workers pull from one, else by the lane high as it once did', async () => {
  const jsm = await jetstreamManager(raw);
  const name = streamName(bus, 'JOBS');
  const low: Lane = 'low-front';
  await jsm.consumers.delete(name, durableName('old', low));
  expect(await backOn('default')).toBe(low);
  expect(await backOn('old')).toBe('high');
  // Workers of the queue know no front lane at all, and nothing else waits.
  expect(await consumerState(bus, 'old', 'low')).toMatchObject({ idle: true });

  // An app of the version before has started.
  const { subjects } = (await jsm.streams.info(name)).config;
  const old = subjects.filter((subject) => !subject.includes('-front'));
  await jsm.streams.update(name, { subjects: old });
  expect(await inside(bus).part(FrontLanes).has({ queue: 'default', priority: 'high' })).toBe(false);
  expect(await consumerState(bus, 'default', 'high')).toMatchObject({ delivered: 0 });

  // One of a version to come knows a lane more; whoever starts then leaves it that.
  const more = subjects[0]?.replace('high', 'soon') ?? '';
  await jsm.streams.update(name, { subjects: [...old, more] });
  await ensureTopology(bus, { ...testTopology, queues });
  const now = (await jsm.streams.info(name)).config.subjects;
  expect(now.toSorted()).toEqual([...subjects, more].toSorted());
  expect(LANES.every((lane) => now.includes(laneSubjects(bus, lane)))).toBe(true);
});

test.each([
  ['a.*.b', 'a.x.b', true],
  ['a.>', 'a.x.b', true],
  ['a.>', 'a', false],
  ['a.*', 'a.x.b', false],
  ['jobs.*.low.>', 'jobs.*.low-front.>', false],
  ['*.x', 'a.*', true],
])('whether %s and %s can name the same', (one, other, both) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([both, both]);
});
