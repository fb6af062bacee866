import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnNats, startOwnNats, testTopology } from '../../../../test/support/nats.ts';
import { createEventPublisher, type EventPublisher } from '../events/event-publisher.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { settled, testJob, toPublish } from '../testing.ts';
import type { Bus } from './bus.ts';
import { connectBus } from './connect-bus.ts';

let nats: OwnNats;
let bus: Bus;
beforeEach(async () => {
  nats = await startOwnNats();
  bus = await connectBus({ servers: nats.url, name: 'test' });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
});
afterEach(async () => {
  await bus?.close();
  await nats?.stop();
});

/** Without leaving the first takes 10 s, the second 5 s, and the third is tried for ever. */
const ask = (events: EventPublisher) =>
  Promise.allSettled([
    jobsStreamState(bus),
    publishJobs(bus, [toPublish()]),
    events.publish(settled(testJob())),
  ]);
const CLOSED = [
  { reason: { code: 'nats_closed' } },
  { value: [{ ok: false, error: { code: 'nats_closed' } }] },
  { reason: { code: 'nats_closed' } },
];

test('who leaves while the connection is away waits for nothing that needs it', async () => {
  const events = createEventPublisher(bus);
  await nats.kill();
  await expect.poll(() => bus.connected).toBe(false);
  const waiting = ask(events);
  await bus.leave();
  expect(await waiting).toMatchObject(CLOSED);
});

test('who has left goes on with its connection, and waits for nothing once that is lost', async () => {
  const events = createEventPublisher(bus);
  await bus.leave();
  expect((await ask(events)).map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'));
  await nats.kill();
  await expect.poll(() => bus.connected).toBe(false);
  expect(await ask(events)).toMatchObject(CLOSED);
});
