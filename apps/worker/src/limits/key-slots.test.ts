import { randomBytes } from 'node:crypto';
import { concurrencyHash, FIRST_POSITION, type JobEnvelope, type Semaphore, uuidV7 } from '@jetbeat/core';
import {
  type Bus,
  changeSemaphore,
  connectBus,
  createEventPublisher,
  ensureTopology,
  findParked,
  keySlots,
  parkJob,
  readSemaphore,
  removeParked,
} from '@jetbeat/jetstream';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Held } from '../held.ts';
import { createKeySlots } from './key-slots.ts';
import type { WorkerLease } from './worker-lease.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'key-slots', namespace: testNamespace() });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(() => bus?.close());
afterEach(() => void vi.useRealTimers());

/** No time passes for what is tested, however busy the machine is, unless the test says so. */
const stopTime = () => vi.useFakeTimers({ toFake: ['performance'] });

const LEASE = 'w.a';
const QUIET_MS = 3_000;
const heldOf = (job: JobEnvelope) => ({ job, slot: undefined, traced: false }) as unknown as Held;

function newJob(key: string, facts: Partial<JobEnvelope> = {}): JobEnvelope {
  const now = Date.now();
  return {
    v: 1,
    id: uuidV7(now, randomBytes(10)),
    task: 'a.b',
    queue: 'default',
    priority: 'normal',
    input: null,
    createdAt: now,
    runAt: now,
    ...FIRST_POSITION,
    policy: { concurrency: { key, limit: 2 } },
    ...facts,
  };
}

/** The slots of keys at a worker; its server can be told to be another one. */
function worker({
  keyed = (job: JobEnvelope) => job,
  mostInLine = 0,
  onWait = (_: Held) => {},
  isPaused = (_: string): boolean => false,
} = {}) {
  const listeners: ((info: { serverChanged: boolean }) => void)[] = [];
  const spy = vi.spyOn(bus, 'onReconnect').mockImplementation((fn) => {
    listeners.push(fn);
    return () => {};
  });
  const stopped = new AbortController();
  const slots = createKeySlots({
    bus,
    events: createEventPublisher(bus),
    lease: { name: LEASE, want: async () => LEASE } as unknown as WorkerLease,
    leases: { gone: async () => new Set<string>() },
    now: Date.now,
    stopped: stopped.signal,
    mostInLine: () => mostInLine,
    onWait,
    isPaused,
    moves: async () => true,
    keyed,
    log: { warn() {} } as unknown as Parameters<typeof createKeySlots>[0]['log'],
  });
  spy.mockRestore();
  return {
    slots,
    serverChanged: () => listeners.map((fn) => fn({ serverChanged: true })),
    async stop() {
      stopped.abort();
      await slots.stop();
    },
  };
}

test('after a killed server what is held is said again at once, and nothing is given on before others could say it too', async () => {
  stopTime();
  const key = 'host-7';
  const name = keySlots(concurrencyHash(key));
  const read = async () => (await readSemaphore(bus, name)).semaphore;
  let allPaused = true;
  const asked = new Set<string>();
  const isPaused = (queue: string) => {
    asked.add(queue);
    return allPaused || queue === 'halted';
  };
  const { slots, serverChanged, stop } = worker({ isPaused });
  // Of another key one is passed over that may go: as if it had come to this sequence in a stream that lost its tail.
  const other = { key: 'host-6', limit: 1 };
  const [still, goes] = ['halted', 'default'].map((queue) => newJob(other.key, { queue, parks: 1 }));
  if (!still || !goes) return;
  for (const envelope of [still, goes]) await parkFor(other.key, envelope);
  slots.parked(other);
  await expect.poll(() => asked).toEqual(new Set(['halted', 'default']));
  await slots.seesFull(heldOf(newJob(other.key)), other);
  allPaused = false;
  const [mine, ended] = [heldOf(newJob(key)), heldOf(newJob(key))];
  for (const held of [mine, ended])
    expect(await slots.claim(held, { key, limit: 2 })).toEqual({ kind: 'taken', proven: false });
  const waits = newJob(key, { parks: 1 });
  await parkFor(key, waits);
  // The server has forgotten who has slots.
  const forgotten: Semaphore = { holders: {}, waiting: true, most: 2 };
  await changeSemaphore(bus, { name, decide: () => ({ next: forgotten, value: undefined }) });
  serverChanged();
  slots.release(ended);
  await expect.poll(async () => Object.keys((await read()).holders)).toEqual([mine.job.id]);
  const claimed = slots.claim(heldOf(newJob(key)), { key, limit: 2 });
  vi.advanceTimersByTime(QUIET_MS - 10);
  // What would be done for the key without a word of the others is done before this is answered.
  await slots.seesFull(heldOf(newJob(key)), { key, limit: 2 });
  expect(Object.keys((await read()).holders)).toEqual([mine.job.id]);
  vi.advanceTimersByTime(10);
  await expect.poll(async () => waits.id in (await read()).holders).toBe(true);
  expect((await read()).holders).toMatchObject({ [mine.job.id]: { lease: LEASE }, [waits.id]: { parks: 1 } });
  expect(await claimed).toMatchObject({ kind: 'full' });
  await expect.poll(() => findParked(bus, { queue: 'default', id: goes.id })).toBeUndefined();
  expect(await findParked(bus, { queue: 'halted', id: still.id })).toBeDefined();
  await stop();
});

test('a worker that stops does not stay for the sake of a server that has just come back', async () => {
  stopTime();
  const key = 'host-8';
  const { slots, serverChanged, stop } = worker();
  const held = heldOf(newJob(key));
  await slots.claim(held, { key, limit: 1 });
  serverChanged();
  slots.release(held);
  const waiting = slots.claim(heldOf(newJob(key)), { key, limit: 1 });
  // The quiet while never ends by itself.
  await stop();
  expect(await waiting).toEqual({ kind: 'later' });
});

function parkFor(key: string, envelope: JobEnvelope) {
  const what = { what: 'key', hash: concurrencyHash(key) } as const;
  return parkJob(bus, { envelope, what, arrival: { seq: 1, storedAt: 1 } });
}

/** Parks so many jobs for a key. */
async function park(key: string, count: number): Promise<JobEnvelope[]> {
  const jobs = Array.from({ length: count }, () => newJob(key, { parks: 1 }));
  for (const envelope of jobs) await parkFor(key, envelope);
  return jobs;
}

test('a job that comes back from a key that holds no more lets go all that wait for it, at a worker that has parked none of them', async () => {
  const key = 'host-9';
  const name = keySlots(concurrencyHash(key));
  const [back, ...others] = await park(key, 5);
  if (!back) return;
  await removeParked(bus, { id: back.id });
  // The recorder has released it: a slot is kept for it, and no other is free.
  const kept: Semaphore = {
    holders: { [back.id]: { until: Date.now() + 60_000, parks: 1 } },
    waiting: true,
    most: 1,
  };
  await changeSemaphore(bus, { name, decide: () => ({ next: kept, value: undefined }) });
  // The new version of the task has no key.
  const { slots, stop } = worker({ keyed: ({ policy: _, ...job }) => job });
  slots.left({ key, limit: 1 }, back.id);
  for (const { id } of others)
    await expect.poll(() => findParked(bus, { queue: 'default', id })).toBeUndefined();
  await expect.poll(async () => (await readSemaphore(bus, name)).semaphore).toEqual({ holders: {} });
  await stop();
});

test('a limit that becomes smaller holds at once for what waits in hand', async () => {
  // By itself a line is left after a second.
  stopTime();
  const key = 'host-10';
  let limit = 2;
  const keyed = (job: JobEnvelope) => ({ ...job, policy: { concurrency: { key, limit } } });
  const { slots, stop } = worker({ keyed, mostInLine: 10 });
  const held = [1, 2].map(() => heldOf(newJob(key)));
  for (const one of held) expect(await slots.claim(one, { key, limit })).toMatchObject({ kind: 'taken' });
  const claims = [1, 2].map(() => slots.claim(heldOf(newJob(key)), { key, limit }));
  await expect.poll(() => slots.waiting).toBe(2);
  limit = 1;
  slots.changed();
  expect(await Promise.all(claims)).toEqual(Array(2).fill({ kind: 'full', taken: 2 }));
  await stop();
});

test('who waits in hand says so, and who would have to wait is seen without a change', async () => {
  const key = 'host-11';
  const waits: Held[] = [];
  const { slots, stop } = worker({ mostInLine: 1, onWait: (held) => waits.push(held) });
  const policy = { concurrency: { key, limit: 1 } };
  const [first, second, third] = [1, 2, 3].map(() => heldOf(newJob(key, { policy })));
  if (!first || !second || !third) return;
  expect(await slots.seesFull(first, { key, limit: 1 })).toBe(false);
  expect(slots.has(first)).toBe(false);
  expect(await slots.claim(first, { key, limit: 1 })).toMatchObject({ kind: 'taken' });
  expect([slots.has(first), waits]).toEqual([true, []]);
  expect(await slots.seesFull(second, { key, limit: 1 })).toBe(true);
  const claim = slots.claim(second, { key, limit: 1 });
  await expect.poll(() => slots.waiting).toBe(1);
  expect(waits).toEqual([second]);
  expect(await slots.seesFull(third, { key, limit: 1 })).toBe(true);
  const { semaphore } = await readSemaphore(bus, keySlots(concurrencyHash(key)));
  expect(semaphore).toEqual({ holders: { [first.job.id]: { lease: LEASE } } });
  slots.release(first);
  expect(await claim).toMatchObject({ kind: 'taken' });
  expect(await slots.seesFull(third, { key, limit: 2 })).toBe(false);
  await stop();
});

test('jobs of a paused queue are passed over anew when it goes on, and not with each word of any queue', async () => {
  const key = { key: 'host-12', limit: 1 };
  const paused = new Set(['default']);
  let over = 0;
  const isPaused = (queue: string) => {
    if (paused.has(queue)) over++;
    return paused.has(queue);
  };
  const [first] = await park(key.key, 2);
  const { slots, stop } = worker({ isPaused });
  /** What was begun for the key is done. */
  const turn = () => slots.seesFull(heldOf(newJob(key.key)), key);
  slots.parked(key);
  await expect.poll(() => over).toBeGreaterThanOrEqual(1);
  await turn();
  paused.add('other');
  for (const queue of ['default', 'other', 'third']) slots.queueSaid(queue);
  const before = over;
  await turn();
  expect(over).toBe(before);
  paused.delete('default');
  slots.queueSaid('default');
  await expect.poll(() => findParked(bus, { queue: 'default', id: first?.id ?? '' })).toBeUndefined();
  await stop();
});
