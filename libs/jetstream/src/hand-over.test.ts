import { concurrencyHash, type Event, type JobEnvelope, type SlotHolder } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../test/support/nats.ts';
import type { Bus } from './bus.ts';
import { connectBus } from './connect-bus.ts';
import { findMessage, findParked, removeParked } from './find-message.ts';
import { type HandOverParams, handOver } from './hand-over.ts';
import type { LeaseWatch } from './leases.ts';
import { jobSubject } from './names.ts';
import { parkJob } from './publish-one.ts';
import { changeSemaphore, keySlots, readSemaphore } from './semaphores.ts';
import { testJob } from './testing.ts';
import { ensureTopology } from './topology.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'hand-over', namespace: testNamespace() });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(() => bus?.close());

const leases: LeaseWatch = {
  gone: async (names) => new Set(names.filter((name) => name.startsWith('dead'))),
};
const ARRIVAL = { seq: 7, storedAt: 1_000 };

let line = 0;
/** A key of its own with one parked job for each of these limits, and these holders. */
async function parkFor(limits: readonly number[], holders: Record<string, SlotHolder> = {}) {
  const key = `key ${line++}`;
  const hash = concurrencyHash(key);
  const jobs: JobEnvelope[] = [];
  for (const limit of limits) {
    const task = `test.t${line}-${jobs.length}`;
    const envelope = testJob({ task, parks: 1, policy: { concurrency: { key, limit } } });
    await parkJob(bus, { envelope, what: { what: 'key', hash }, arrival: ARRIVAL });
    jobs.push(envelope);
  }
  const most = Math.max(...limits);
  const set = (more: Record<string, SlotHolder>) =>
    changeSemaphore(bus, {
      name: keySlots(hash),
      decide: () => ({ next: { holders: { ...holders, ...more }, waiting: true, most }, value: undefined }),
    });
  await set({});
  const told: Event[] = [];
  const events = {
    async publish(event: Event) {
      told.push(event);
      return { seq: 0 };
    },
  };
  const run = (how: Partial<HandOverParams> = {}) =>
    handOver({ bus, events, hash, leases, now: Date.now, ...how });
  const slots = async () => (await readSemaphore(bus, keySlots(hash))).semaphore;
  /** What waits in the parking places, and what is on the front lane. */
  const where = async () => {
    const parked: number[] = [];
    const back: number[] = [];
    for (const [index, { id, task }] of jobs.entries()) {
      if (await findParked(bus, { queue: 'default', id })) parked.push(index);
      const lane = jobSubject(bus, { queue: 'default', priority: 'normal', front: true, task });
      if ((await findMessage(bus, { subject: lane }))?.envelope?.id === id) back.push(index);
    }
    return { parked, back };
  };
  return { jobs, told, set, run, slots, where };
}

test('free slots go to those that wait longest; they go back before the others of their priority, with word of how they had come', async () => {
  const { jobs, told, run, slots, where } = await parkFor([2, 2, 2]);
  expect((await run()).jobs).toBe(2);
  expect(await where()).toEqual({ parked: [2], back: [0, 1] });
  const kept = { parks: 1, here: true, until: expect.any(Number) };
  const [one, two] = jobs;
  expect(await slots()).toEqual({
    holders: { [one?.id ?? '']: kept, [two?.id ?? '']: kept },
    waiting: true,
    most: 2,
  });
  expect(told.map((event) => 'job' in event && [event.kind, event.job])).toEqual([
    ['released', one?.id],
    ['released', two?.id],
  ]);
  const lane = jobSubject(bus, { queue: 'default', priority: 'normal', front: true, task: one?.task ?? '' });
  expect((await findMessage(bus, { subject: lane }))?.arrival).toEqual(ARRIVAL);
  expect((await run()).jobs).toBe(0);
});

test('what is left of a job in its parking place goes before its slot does, and never begins again', async () => {
  const { jobs, set, run, slots, where } = await parkFor([1, 1]);
  const [one, two] = jobs;
  if (!one || !two) return;
  // Whoever had put it back died before it cleared the place; the job has run meanwhile.
  const { stored } = await set({ [one.id]: { lease: 'w.a' } });
  const goes = (_: SlotHolder, job: string) => job === one.id;
  expect((await run({ done: one, goes, known: stored })).jobs).toBe(1);
  expect(await where()).toEqual({ parked: [], back: [1] });
  expect(Object.keys((await slots()).holders)).toEqual([two.id]);
});

test('a slot under a lease that is gone is free, one under another is not, whatever was known', async () => {
  const { jobs, set, run, slots, where } = await parkFor([1, 3]);
  const old = await set({ other: { lease: 'w.a' } });
  await set({ other: { lease: 'w.a' }, killed: { lease: 'dead.b' } });
  // The oldest waits for all, so nobody behind it goes first.
  expect((await run({ known: old.stored, look: true })).jobs).toBe(0);
  expect(await where()).toEqual({ parked: [0, 1], back: [] });
  await set({ killed: { lease: 'dead.b' } });
  expect((await run({ known: old.stored, look: true })).jobs).toBe(2);
  expect(Object.keys((await slots()).holders).sort()).toEqual(jobs.map(({ id }) => id).sort());
});

test('what has left its key goes without a slot, so much of it as one call takes, and it is said that more may go', async () => {
  const { run, slots, where } = await parkFor([1, 1, 1], { other: { lease: 'w.a' } });
  const how = { look: true, moved: true, keyed: ({ policy: _, ...job }: JobEnvelope) => job };
  expect(await run({ ...how, most: 2 })).toMatchObject({ jobs: 2, more: true });
  expect(await where()).toEqual({ parked: [2], back: [0, 1] });
  expect(await run(how)).toMatchObject({ jobs: 1, more: false });
  expect(await slots()).toEqual({ holders: { other: { lease: 'w.a' } } });
});

test('when nobody is parked any more, nobody has to look', async () => {
  const { run, slots } = await parkFor([1]);
  await run();
  const goes = () => true;
  expect((await run({ goes })).jobs).toBe(0);
  expect(await slots()).toEqual({ holders: {} });
});

test('jobs of a paused queue are passed over, once, and go when it goes on; who comes behind them is handed over', async () => {
  const { run, slots, where } = await parkFor([1, 1, 1]);
  const here = { isPaused: () => true };
  const first = await run({ ...here, look: true });
  expect(first).toMatchObject({ jobs: 0, more: false });
  expect(first.from).toBeGreaterThan(1);
  expect(await slots()).toMatchObject({ holders: {}, waiting: true });
  // Nobody new: others wait all the same.
  expect(await run({ ...here, from: first.from })).toMatchObject({ jobs: 0, from: first.from });
  expect(await slots()).toMatchObject({ waiting: true });
  expect(await run({ isPaused: () => false })).toMatchObject({ jobs: 1, from: 1 });
  expect(await where()).toEqual({ parked: [1, 2], back: [0] });
});

test('what is parked where only jobs of paused queues should be is found: a stream that lost its tail counts on from an earlier place', async () => {
  const { run, where } = await parkFor([1, 1]);
  const isPaused = (queue: string) => queue !== 'default';
  expect(await run({ isPaused, from: 1_000_000_000 })).toMatchObject({ jobs: 1, from: 1 });
  expect(await where()).toEqual({ parked: [1], back: [0] });
});

test('that nobody waits any more is seen though many were passed over', async () => {
  const { jobs, run, slots } = await parkFor([1, 1]);
  const { from } = await run({ isPaused: () => true });
  for (const { id } of jobs) await removeParked(bus, { id });
  await run({ isPaused: () => true, from });
  expect(await slots()).toEqual({ holders: {} });
});

test('what is left of a job behind those that are passed over goes before its slot does, too', async () => {
  const { jobs, set, run, slots, where } = await parkFor([1, 1, 1]);
  const [, two, three] = jobs;
  if (!two || !three) return;
  const { stored } = await set({ [two.id]: { lease: 'w.a' } });
  let seen = 0;
  const goes = (_: SlotHolder, job: string) => job === two.id;
  const { jobs: went } = await run({
    done: two,
    goes,
    known: stored,
    most: 1,
    isPaused: () => seen++ === 0,
  });
  // The first was passed over, and the second is cleared: only then its slot is free.
  expect([went, await where()]).toEqual([0, { parked: [0, 2], back: [] }]);
  expect(Object.keys((await slots()).holders)).toEqual([two.id]);
});
