import { randomUUID } from 'node:crypto';
import type { DoubtQuestion } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { askDoubt, serveDoubt } from '../answers/doubt.ts';
import { askHeld, serveHeld } from '../answers/held.ts';
import { extendDelivery } from '../delivery/acknowledge.ts';
import { createEventPublisher } from '../events/event-publisher.ts';
import { openEventSource } from '../events/event-source.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { loadSettled, putSettled } from '../streams/settled-marks.ts';
import { ensureTopology } from '../streams/topology.ts';
import { settled, TestSource, testJob, toPublish } from '../testing.ts';
import { openCancelled, type Withdrawal } from '../unique/cancelled.ts';
import type { Bus } from './bus.ts';
import { connectBus } from './connect-bus.ts';

const namespace = testNamespace();
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  other = await connectBus({ servers: natsUrl(), name: 'other', namespace });
  await ensureTopology(bus, { ...testTopology, ackWaitMs: 1_500, queues: ['default'] });
});
afterAll(() => Promise.all([bus?.close(), other?.close()]));

test('cancelled jobs are read whole, then heard of as they come and go', async () => {
  const [before, after] = [randomUUID(), randomUUID()];
  const writer = openCancelled(other);
  await writer.put(before, 'by hand');
  const reader = openCancelled(bus);
  expect(reader.has(before)).toBe(false);
  await reader.load();
  expect(reader.has(before)).toBe(true);
  await writer.put(after);
  await expect.poll(() => reader.has(after)).toBe(true);
  await writer.remove(after);
  await expect.poll(() => reader.has(after)).toBe(false);
  const fresh = openCancelled(bus);
  await fresh.load();
  expect([fresh.has(before), fresh.has(after)]).toEqual([true, false]);
  await Promise.all([reader, writer, fresh].map((keys) => keys.close()));
  await expect(writer.put('not an id')).rejects.toMatchObject({ code: 'invalid_input' });
});

test('of a job that was moved what was before is void, until it is over or the move is taken back', async () => {
  const [moved, back, cancelled] = [randomUUID(), randomUUID(), randomUUID()];
  const writer = openCancelled(other);
  const reader = openCancelled(bus);
  await reader.load();
  const heard: Withdrawal[] = [];
  const stop = reader.listen((withdrawal) => void heard.push(withdrawal));
  await writer.move(moved, 160);
  await writer.move(moved, 320);
  await writer.move(back, 160);
  await writer.put(cancelled, 'by hand');
  await expect.poll(() => heard.length).toBe(4);
  expect(heard).toEqual([
    { id: moved, below: 160 },
    { id: moved, below: 320 },
    { id: back, below: 160 },
    { id: cancelled, reason: 'by hand' },
  ]);
  expect([reader.isMoved(moved, 319), reader.isMoved(moved, 320), reader.has(moved)]).toEqual([
    true,
    false,
    false,
  ]);
  await writer.unmove(back, 160);
  await expect.poll(() => reader.isMoved(back, 0)).toBe(false);
  const fresh = openCancelled(bus);
  await fresh.load();
  expect([fresh.isMoved(moved, 319), fresh.isMoved(back, 0), fresh.ids().includes(moved)]).toEqual([
    true,
    false,
    true,
  ]);
  await fresh.remove(moved);
  const last = openCancelled(bus);
  await last.load();
  expect(last.ids()).not.toContain(moved);
  stop();
  await writer.put(randomUUID());
  await Promise.all([reader, writer, fresh, last].map((keys) => keys.close()));
  expect(heard.length).toBe(4);
});

test('whoever only writes keeps nothing: nobody would tell it that a key is gone', async () => {
  const [cancelled, moved] = [randomUUID(), randomUUID()];
  const writer = openCancelled(other);
  await writer.put(cancelled);
  await writer.move(moved, 160);
  expect([writer.ids(), writer.has(cancelled), writer.isMoved(moved, 1)]).toEqual([[], false, false]);
  const reader = openCancelled(bus);
  await reader.load();
  await writer.remove(cancelled);
  await writer.unmove(moved, 160);
  await expect.poll(() => [reader.has(cancelled), reader.isMoved(moved, 1)]).toEqual([false, false]);
  await Promise.all([reader, writer].map((keys) => keys.close()));
});

test('cancellations that were missed while away are read after the reconnect', async () => {
  const nats = await startOwnNats();
  const worker = await connectBus({ servers: nats.url, name: 'worker' });
  const keys = openCancelled(worker);
  try {
    await ensureTopology(worker, { ...testTopology, queues: [] });
    await keys.load();
    await nats.kill();
    await nats.start();
    // The worker may not be back yet when this is written.
    const api = await connectBus({ servers: nats.url, name: 'api' });
    const id = randomUUID();
    await openCancelled(api).put(id);
    await api.close();
    await expect.poll(() => keys.has(id)).toBe(true);
  } finally {
    await worker.close();
    await nats.stop();
  }
});

test('the settled mark of a queue only rises, whoever writes it', async () => {
  expect(await loadSettled(bus, ['default', 'mail'])).toEqual(new Map());
  await Promise.all([5, 40, 12, 33].map((seq, n) => putSettled(n % 2 ? bus : other, 'default', seq)));
  await putSettled(bus, 'default', 7);
  expect(await loadSettled(bus, ['default', 'mail'])).toEqual(new Map([['default', 40]]));
});

test('a doubt is answered by one recorder, in order; without one, or with one that fails, there is no answer', async () => {
  const questions = Array.from(
    { length: 2_500 },
    (_, n): DoubtQuestion => ({ job: randomUUID(), worker: 'w', attempt: 1, run: n + 1, parks: 0 }),
  );
  expect(await askDoubt(bus, questions.slice(0, 1), 300)).toBeUndefined();
  let asked = 0;
  const serving = [bus, other].map((at) =>
    serveDoubt(at, async (some) => {
      asked += some.length;
      return some.map(({ run }) => ({ answer: 'free' as const, run, losses: 0 }));
    }),
  );
  const answers = await askDoubt(bus, questions, 5_000);
  expect(answers).toEqual(questions.map(({ run }) => ({ answer: 'free', run, losses: 0 })));
  expect(asked).toBe(questions.length);
  await Promise.all(serving.map((one) => one.close()));
  const failing = serveDoubt(other, () => Promise.reject(new Error('no database')));
  expect(await askDoubt(bus, questions.slice(0, 1), 300)).toBeUndefined();
  await failing.close();
});

test('a doubt that is asked before the recorder is there is answered when it comes', async () => {
  const question = { job: randomUUID(), worker: 'w', attempt: 1, run: 1, parks: 0 };
  const answer = askDoubt(bus, [question], 5_000);
  await bus.flush();
  const serving = serveDoubt(other, async (some) => some.map(() => ({ answer: 'held' as const })));
  expect(await answer).toEqual([{ answer: 'held' }]);
  await serving.close();
});

test('the held question ends when all expected workers have answered, and says who did not', async () => {
  const id = randomUUID();
  const cancels: boolean[] = [];
  const serving = [
    serveHeld(bus, 'w1', () => []),
    serveHeld(other, 'w2', ({ ids, cancel }) => {
      cancels.push(cancel);
      return ids.map((one) => ({ id: one, begun: true }));
    }),
  ];
  await Promise.all([bus.flush(), other.flush()]);
  // Longer than the test may take.
  const timeoutMs = 60_000;
  const answers = await askHeld(bus, { ids: [id], expect: ['w1', 'w2'], timeoutMs, cancel: true });
  expect(answers).toEqual({
    held: new Map([[id, { id, worker: 'w2', begun: true }]]),
    answered: new Set(['w1', 'w2']),
  });
  expect(cancels).toEqual([true]);
  const partly = await askHeld(bus, { ids: [id], expect: ['w1', 'gone'], timeoutMs: 200 });
  expect(partly.answered).not.toContain('gone');
  await Promise.all(serving.map((one) => one.close()));
  expect((await askHeld(bus, { ids: [id], expect: ['w1'], timeoutMs: 5_000 })).answered.size).toBe(0);
});

test('a delivery is extended from another connection, so that it does not come again', async () => {
  const worker = new TestSource(bus);
  /** Whether a job that was delivered comes again while its delivery is extended. */
  const comesAgain = async () => {
    await publishJobs(bus, [toPublish()]);
    await worker.pull({ batch: 1 });
    const held = worker.deliveries.at(-1);
    if (!held) throw new Error('nothing was delivered');
    const extending = setInterval(() => extendDelivery(other, held.ackSubject), 200);
    // Longer than the acknowledgement wait of 1.5 s.
    const { status } = await worker.pull({ batch: 1, expiresMs: 2_500 });
    clearInterval(extending);
    return status === 'done';
  };
  // On a machine that stands still for that long nothing is extended.
  for (let tries = 1; tries < 5 && (await comesAgain()); tries++) worker.deliveries.at(-1)?.ack();
  const before = worker.deliveries.length;
  expect(await worker.pull({ batch: 1, expiresMs: 10_000 })).toMatchObject({ status: 'done' });
  expect(worker.deliveries[before]?.deliveryCount).toBe(2);
  worker.deliveries[before]?.ack();
});

test('closing ends everything that was opened, and leaves nothing running', async () => {
  const closing = await connectBus({ servers: natsUrl(), name: 'closing', namespace });
  const worker = new TestSource(closing);
  const source = openEventSource(closing, { maxBatches: 1, maxWaitMs: 60_000 });
  const publisher = createEventPublisher(closing);
  const cancelled = openCancelled(closing);
  await cancelled.load();
  serveDoubt(closing, async () => []);
  serveHeld(closing, 'w', () => []);
  worker.source.pull('normal', { batch: 1, expiresMs: 60_000 });
  const waiting = source.next();
  const event = publisher.publish(settled(testJob()));
  await Promise.all([closing.close(), closing.close()]);
  expect((await event).seq).toBeGreaterThan(0);
  expect(await waiting).toEqual([]);
  expect(closing.connected).toBe(false);
  await Promise.all([worker.source.close(), source.close(), publisher.close(), cancelled.close()]);
  expect(await publishJobs(closing, [toPublish()])).toMatchObject([
    { ok: false, error: { code: 'nats_closed' } },
  ]);
  await expect(publisher.publish(settled(testJob()))).rejects.toMatchObject({ code: 'nats_closed' });
  await expect(cancelled.put(randomUUID())).rejects.toMatchObject({ code: 'nats_closed' });
  worker.source.pull('normal', { batch: 1 });
  expect(worker.source.outstanding('normal')).toBe(1);
});
