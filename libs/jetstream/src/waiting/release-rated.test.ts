import { randomBytes } from 'node:crypto';
import {
  concurrencyHash,
  type Event,
  type JobEnvelope,
  type JobRate,
  messageId,
  uuidV7,
} from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import type { EventPublisher } from '../events/event-publisher.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { parkJob } from '../publishing/publish-one.ts';
import { jobSubject, parkedSubject } from '../streams/names.ts';
import { ensureTopology } from '../streams/topology.ts';
import { findMessage, findParked, nextParked, removeParkedAt } from './find-message.ts';
import type { LeaseWatch } from './leases.ts';
import { keepRate, releaseRated } from './release-rated.ts';
import { changeSemaphore, keySlots, rateState, readSemaphore } from './semaphores.ts';

const namespace = testNamespace();
let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'release-rated', namespace });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(() => bus?.close());

/** Ten in a second. */
const PACE = { limit: 10, periodMs: 1_000 };
const leases: LeaseWatch = {
  gone: async (names) => new Set(names.filter((name) => name.startsWith('dead'))),
};

let line = 0;
/** A rate of its own, with as many jobs parked for it. */
async function parkFor(count: number, facts: (index: number) => Partial<JobEnvelope> = () => ({})) {
  const hash = concurrencyHash(`line ${line++}`);
  const jobs: JobEnvelope[] = [];
  for (let index = 0; index < count; index++) {
    const now = Date.now();
    const envelope: JobEnvelope = {
      v: 1,
      id: uuidV7(Date.now(), randomBytes(10)),
      task: 'test.rated',
      queue: 'default',
      priority: 'normal',
      input: index,
      createdAt: now,
      runAt: now,
      attempt: 1,
      run: 1,
      parks: 1,
      ...facts(index),
    };
    await parkJob(bus, { envelope, what: { what: 'rate', hash } });
    jobs.push(envelope);
  }
  const told: Event[] = [];
  const events: Pick<EventPublisher, 'publish'> = {
    async publish(event) {
      told.push(event);
      return { seq: 0 };
    },
  };
  const release = (options: { now?: () => number; rate?: Partial<JobRate> } = {}) =>
    releaseRated({
      bus,
      events,
      hash,
      leases,
      now: options.now ?? Date.now,
      rateOf: () => (options.rate ? { hash, pace: { ...PACE, ...options.rate } } : { hash, pace: PACE }),
    });
  const state = async () => (await readSemaphore(bus, rateState(hash))).semaphore;
  const parked = async () => {
    const places = jobs.map(({ id }) => findParked(bus, { queue: 'default', id }));
    return (await Promise.all(places)).flatMap((found) => (found?.envelope ? [found.envelope.input] : []));
  };
  return { hash, jobs, told, release, state, parked };
}

test('as many go as starts are due, the oldest first; each is kept its turn, and no other goes for it', async () => {
  const { jobs, told, release, state, parked } = await parkFor(6);
  const at = Date.now();
  const now = () => at;
  // One is due now, and those of the next quarter of a second go on their way.
  expect(await release({ now })).toEqual({ jobs: 3, waiting: true, dueAt: at + 50 });
  expect(await parked()).toEqual([3, 4, 5]);
  expect(told.map((event) => ('job' in event ? [event.kind, event.job] : []))).toEqual(
    jobs.slice(0, 3).map(({ id }) => ['released', id]),
  );
  expect(Object.keys((await state()).holders).sort()).toEqual(
    jobs
      .slice(0, 3)
      .map(({ id }) => id)
      .sort(),
  );
  expect(await release({ now })).toEqual({ jobs: 0, waiting: true, dueAt: at + 50 });
  // Nobody has come for those.
  const later = await release({ now: () => at + 11_000 });
  expect(later).toMatchObject({ jobs: 3, waiting: true });
  expect(await release({ now: () => at + 11_000 })).toMatchObject({ jobs: 0, waiting: false });
  expect((await state()).waiting).toBeUndefined();
});

test('of a releaser that has died: after it has kept a turn, and after it has published', async () => {
  const { hash, jobs, release, parked } = await parkFor(2);
  const [first, second] = jobs;
  if (!first || !second) throw new Error('two were parked');
  const until = Date.now() + 10_000;
  await changeSemaphore(bus, {
    name: rateState(hash),
    keepMs: keepRate,
    decide: () => ({
      next: { holders: { [first.id]: { until, parks: 1 } }, waiting: true, pace: PACE },
      value: undefined,
    }),
  });
  // Its turn is kept, so it stays; the next one has its own.
  expect(await release()).toMatchObject({ jobs: 1, waiting: true });
  expect(await parked()).toEqual([0]);
  const late = () => Date.now() + 11_000;
  expect(await release({ now: late })).toMatchObject({ jobs: 1 });
  expect(await parked()).toEqual([]);

  // What was published and is still parked goes once.
  await parkJob(bus, { envelope: { ...second, parks: 2 }, what: { what: 'rate', hash } });
  const place = parkedSubject(bus, { queue: 'default', what: { what: 'rate', hash }, id: second.id });
  const found = await findMessage(bus, { subject: place });
  expect(await release({ now: () => late() + 11_000 })).toMatchObject({ jobs: 1 });
  expect(found && (await nextParked(bus, { hash, what: 'rate' }))).toBeUndefined();
  expect(await removeParkedAt(bus, { queue: 'default', what: { what: 'rate', hash }, id: second.id })).toBe(
    0,
  );
});

test('a job whose key is busy is passed over, and that of a worker that is gone is free', async () => {
  const key = (index: number) => `rated-${['busy', 'dead', 'free'][index]}`;
  const { jobs, release, parked } = await parkFor(3, (index) => ({
    policy: { concurrency: { key: key(index), limit: 1 } },
  }));
  for (const [index, lease] of ['live.a', 'dead.b'].entries()) {
    const next = { holders: { other: { lease } } };
    await changeSemaphore(bus, {
      name: keySlots(concurrencyHash(key(index))),
      decide: () => ({ next, value: undefined }),
    });
  }
  const before = Date.now();
  const found = await release({ rate: { limit: 100 } });
  expect(found).toMatchObject({ jobs: 2, waiting: true });
  expect(found.dueAt).toBeGreaterThan(before + 300);
  expect(await parked()).toEqual([0]);
  for (const index of [1, 2]) {
    const { semaphore } = await readSemaphore(bus, keySlots(concurrencyHash(key(index))));
    expect(semaphore).toEqual({
      holders: { [jobs[index]?.id ?? '']: { until: expect.any(Number), parks: 1 } },
    });
  }
});

test('jobs of one busy key, however many, do not keep another one from going', async () => {
  const key = (index: number) => ({ key: `crowd-${index < 110 ? 'busy' : 'free'}`, limit: 1 });
  const { hash, parked } = await parkFor(111, (index) => ({ policy: { concurrency: key(index) } }));
  await changeSemaphore(bus, {
    name: keySlots(concurrencyHash('crowd-busy')),
    decide: () => ({ next: { holders: { other: { lease: 'live.a' } } }, value: undefined }),
  });
  const events = { publish: async () => ({ seq: 0 }) };
  const look = (from?: number) =>
    releaseRated({ bus, events, hash, leases, now: Date.now, from, rateOf: () => ({ hash, pace: PACE }) });
  let found = await look();
  expect(found).toMatchObject({ jobs: 0, waiting: true, goOn: expect.any(Number) });
  for (let looks = 0; found.jobs === 0 && looks < 3; looks++) found = await look(found.goOn);
  expect(found).toMatchObject({ jobs: 1, waiting: true });
  expect(await parked()).toEqual(Array.from({ length: 110 }, (_, index) => index));
  // It is behind all: the next look begins with the oldest.
  expect(found.goOn).toBeUndefined();
}, 20_000);

test('two jobs of one key do not go at once, and the turn of the second is not lost', async () => {
  const { jobs, release, state, parked } = await parkFor(2, () => ({
    policy: { concurrency: { key: 'rated-one', limit: 1 } },
  }));
  expect(await release({ rate: { limit: 100 } })).toMatchObject({ jobs: 1, waiting: true });
  expect(await parked()).toEqual([1]);
  expect(Object.keys((await state()).holders)).toEqual([jobs[0]?.id]);
});

test('what is put back goes before the backlog of its lane; of what is not parked any more nothing is kept', async () => {
  const key = 'rated-stale';
  const { hash, jobs, release, state } = await parkFor(1, () => ({
    policy: { concurrency: { key, limit: 1 } },
  }));
  const [job] = jobs;
  if (!job) throw new Error('one was parked');
  const place = parkedSubject(bus, { queue: 'default', what: { what: 'rate', hash }, id: job.id });
  const found = await findMessage(bus, { subject: place });
  // Another one puts it back, and its parking place is cleared, after this one has looked.
  const [first] = await publishJobs(bus, [
    { envelope: job, front: true, messageId: `${messageId(job)}.freed${found?.seq}` },
  ]);
  expect(first).toMatchObject({ ok: true });
  const gone = releaseRated({
    bus,
    hash,
    leases,
    now: Date.now,
    events: { publish: async () => ({ seq: 0 }) },
    rateOf: () => {
      void removeParkedAt(bus, { queue: 'default', what: { what: 'rate', hash }, id: job.id });
      return { hash, pace: PACE };
    },
  });
  expect(await gone).toMatchObject({ jobs: 0 });
  expect((await state()).holders).toEqual({});
  expect((await readSemaphore(bus, keySlots(concurrencyHash(key)))).semaphore.holders).toEqual({});

  const other = await parkFor(1);
  expect(await other.release()).toMatchObject({ jobs: 1 });
  const front = jobSubject(bus, { ...(other.jobs[0] ?? job), front: true });
  expect((await findMessage(bus, { subject: front }))?.envelope?.id).toBe(other.jobs[0]?.id);
  expect(await release()).toMatchObject({ jobs: 0 });
});

test('what waits for a rate that holds no more goes, and what only the document knows goes by that', async () => {
  const { hash, parked, release, state } = await parkFor(4);
  const events: Pick<EventPublisher, 'publish'> = { publish: async () => ({ seq: 0 }) };
  const shared = { bus, events, hash, leases, now: Date.now };
  expect(await release({ rate: { limit: 1, periodMs: 3_600_000 } })).toMatchObject({
    jobs: 1,
    waiting: true,
  });
  expect((await state()).pace).toEqual({ limit: 1, periodMs: 3_600_000 });
  expect(await releaseRated(shared)).toMatchObject({ jobs: 0, waiting: true });
  expect(await releaseRated({ ...shared, rateOf: () => ({}) })).toMatchObject({ jobs: 3 });
  expect(await parked()).toEqual([]);
  expect(await releaseRated(shared)).toMatchObject({ jobs: 0, waiting: false });
});

test('a rate that nobody has used for its time goes by itself, and begins anew', async () => {
  const name = rateState(concurrencyHash('goes'));
  const write = (tat: number, keepMs?: () => number) =>
    changeSemaphore(bus, { name, keepMs, decide: () => ({ next: { holders: {}, tat }, value: undefined }) });
  await write(5, () => 1_000);
  expect(await readSemaphore(bus, name)).toMatchObject({ semaphore: { tat: 5 } });
  await waitUntil('it is gone', async () => (await readSemaphore(bus, name)).seq === 0);
  await write(6);
  expect(await readSemaphore(bus, name)).toMatchObject({ semaphore: { tat: 6 } });
  expect(keepRate({ holders: {}, tat: Date.now() + 5_000 })).toBeGreaterThan(60_000);
});
