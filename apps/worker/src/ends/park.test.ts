import { randomBytes } from 'node:crypto';
import { decodeEnvelope, type Event, FIRST_POSITION, type JobEnvelope, uuidV7 } from '@jetbeat/core';
import {
  connectBus,
  createEventPublisher,
  type Delivery,
  ensureTopology,
  findMessage,
  jobsStreamState,
  openJobSource,
  parkedSubject,
  publishJobs,
} from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { Held } from '../held.ts';
import { instant } from './own-retries.ts';
import { createPark } from './park.ts';

test('a parked job lies where it is looked for, and history hears which message it came from', async () => {
  const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: testNamespace() });
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
  const events = createEventPublisher(bus);
  const told: Event[] = [];
  const job = newJob();
  const [result] = await publishJobs(bus, [{ envelope: newJob() }, { envelope: job }]).then((all) =>
    all.slice(1),
  );
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const source = openJobSource(bus, {
    queue: 'default',
    onDelivery: (deliveries) => {
      const found = deliveries.find(({ data }) => decodeEnvelope(data).id === job.id);
      if (found) resolve(found);
    },
    onPullEnd: () => {},
  });
  source.pull('normal', { batch: 2 });
  const delivery = await promise;
  const park = createPark({
    bus,
    events: {
      ...events,
      publish(event) {
        told.push(event);
        return events.publish(event);
      },
    },
    now: () => 5,
    stopped: new AbortController().signal,
    onRetry: (error) => {
      throw error;
    },
  });
  await park(new Held({ job, delivery, since: instant(), suspect: false, traced: false }), { what: 'doubt' });
  expect(result).toMatchObject({ ok: true, seq: delivery.seq });
  expect(told).toMatchObject([
    { kind: 'parked', job: job.id, parks: 1, what: 'doubt', seq: delivery.seq, at: 5 },
  ]);
  const place = { queue: 'default', what: { what: 'doubt' }, id: job.id } as const;
  const parked = await findMessage(bus, { subject: parkedSubject(bus, place) });
  expect(parked?.envelope).toEqual({ ...job, parks: 1 });
  expect(parked?.seq).toBeGreaterThan(delivery.seq);
  await bus.flush();
  await expect.poll(async () => (await jobsStreamState(bus)).messages).toBe(2);
  await source.close();
  await events.close();
  await bus.close();
});

function newJob(): JobEnvelope {
  const now = Date.now();
  const id = uuidV7(now, randomBytes(10));
  const what = { v: 1, id, task: 'test.noop', queue: 'default', priority: 'normal', input: null } as const;
  return { ...what, createdAt: now, runAt: now, ...FIRST_POSITION };
}
