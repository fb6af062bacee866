import { concurrencyHash, type Event, type JobEnvelope, type SlotHolder } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { parkJob } from '../publishing/publish-one.ts';
import { jobSubject } from '../streams/names.ts';
import { ensureTopology } from '../streams/topology.ts';
import { testJob } from '../testing.ts';
import { findMessage, findParked, removeParked } from './find-message.ts';
import { type HandOverParams, handOver } from './hand-over.ts';
import type { LeaseWatch } from './leases.ts';
import { changeSemaphore, keySlots, readSemaphore } from './semaphores.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'hand-over', namespace: testNamespace() });
  await ensureTopology(bus, { queues: ['default', 'mail', 'slow'], ...testTopology });
});
afterAll(() => bus?.close());

const leases: LeaseWatch = {
  gone: async (names) => new Set(names.filter((name) => name.startsWith('dead'))),
};
const ARRIVAL = { seq: 7, storedAt: 1_000 };

let line = 0;
/** A key of its own with one parked job for each of these limits, and these holders; the queues are 'default' where none is said. */
async function parkFor(
  limits: readonly number[],
  holders: Record<string, SlotHolder> = {},
  queues: readonly string[] = [],
) {
  const key = `key ${line++}`;
  const hash = concurrencyHash(key);
  const jobs: JobEnvelope[] = [];
  const park = async (limit: number, queue = 'default') => {
    const task = `test.t${line}-${jobs.length}`;
    const envelope = testJob({ task, queue, parks: 1, policy: { concurrency: { key, limit } } });
    await parkJob(bus, { envelope, what: { what: 'key', hash }, arrival: ARRIVAL });
    jobs.push(envelope);
    return envelope;
  };
  for (const [index, limit] of limits.entries()) await park(limit, queues[index]);
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
    for (const [index, { id, task, queue }] of jobs.entries()) {
      if (await findParked(bus, { queue, id })) parked.push(index);
      const lane = jobSubject(bus, { queue, priority: 'normal', front: true, task });
      if ((await findMessage(bus, { subject: lane }))?.envelope?.id === id) back.push(index);
    }
    return { parked, back };
  };
  return { jobs, told, set, park, run, slots, where };
}

test('free slots go to those that wait longest; they go back before the others of their priority, with word of how they had come', async () => {
  const { jobs, told, run, slots, where } = await parkFor([2, 2, 2]);
  expect((await run()).jobs).toBe(2);
  expect(await where()).toEqual({ parked: [2], back: [0, 1] });
  const kept = { parks: 1, here: true, queue: 'default', until: expect.any(Number) };
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
  expect(first.passed).toEqual({ from: expect.any(Number), queues: new Set(['default']) });
  expect(await slots()).toMatchObject({ holders: {}, waiting: true });
  // Nobody new: others wait all the same.
  const { passed } = first;
  expect(await run({ ...here, passed })).toMatchObject({ jobs: 0, passed });
  expect(await slots()).toMatchObject({ waiting: true });
  expect(await run({ passed })).toMatchObject({ jobs: 1 });
  expect(await where()).toEqual({ parked: [1, 2], back: [0] });
});

test('what is parked where only jobs of paused queues should be is found: a stream that lost its tail counts on from an earlier place', async () => {
  const { run, where } = await parkFor([1, 1]);
  const passed = { from: 1_000_000_000, queues: new Set(['halted']) };
  expect(await run({ passed })).toMatchObject({ jobs: 1, passed: undefined });
  expect(await where()).toEqual({ parked: [1], back: [0] });
});

test('that nobody waits any more is seen though many were passed over', async () => {
  const { jobs, run, slots } = await parkFor([1, 1]);
  const { passed } = await run({ isPaused: () => true });
  for (const { id } of jobs) await removeParked(bus, { id });
  await run({ isPaused: () => true, passed });
  expect(await slots()).toEqual({ holders: {} });
});

test('what is left of a job behind those that are passed over goes before its slot does, too', async () => {
  const { jobs, set, run, slots, where } = await parkFor([1, 1, 1], {}, ['slow']);
  const [, two, three] = jobs;
  if (!two || !three) return;
  const { stored } = await set({ [two.id]: { lease: 'w.a' } });
  const goes = (_: SlotHolder, job: string) => job === two.id;
  const isPaused = (queue: string) => queue === 'slow';
  const how = { done: two, goes, known: stored, isPaused };
  expect((await run({ ...how, most: 0 })).jobs).toBe(0);
  // It is cleared: only then its slot is free.
  expect(await where()).toEqual({ parked: [0, 2], back: [] });
  expect(Object.keys((await slots()).holders)).toEqual([two.id]);
  expect((await run(how)).jobs).toBe(1);
  expect(Object.keys((await slots()).holders)).toEqual([three.id]);
});

/** Of this queue no job begins just now. */
const moves = async (queue: string) => queue !== 'slow';

test('a slot goes to the oldest whose queue goes on; who is older keeps its place, and is first when its own does', async () => {
  const { jobs, run, slots, where } = await parkFor([1, 1, 1, 1], {}, ['slow', 'default', 'slow', 'mail']);
  const [, second, , fourth] = jobs;
  const first = await run({ moves });
  expect([first.jobs, await where()]).toEqual([1, { parked: [0, 2, 3], back: [1] }]);
  // It is not the oldest, so who gives its slot on would not find what is left of it.
  expect((await slots()).holders).toEqual({
    [second?.id ?? '']: { until: expect.any(Number), parks: 1, queue: 'default' },
  });
  const gone = (id?: string) => (_: SlotHolder, job: string) => job === id;
  const next = await run({ moves, goes: gone(second?.id), passed: first.passed });
  expect((await where()).parked).toEqual([0, 2]);
  expect(Object.keys((await slots()).holders)).toEqual([fourth?.id]);
  await run({ goes: gone(fourth?.id), passed: next.passed });
  expect((await where()).parked).toEqual([2]);
});

test('where no queue goes on a slot is kept for the oldest, until one of another queue comes that does', async () => {
  const { jobs, park, run, slots, where } = await parkFor([1, 1], {}, ['slow', 'slow']);
  expect((await run({ moves })).jobs).toBe(1);
  const holders = async () => Object.keys((await slots()).holders);
  expect([await holders(), await where()]).toEqual([[jobs[0]?.id], { parked: [1], back: [0] }]);
  // Nor is it given to the next of that queue.
  expect((await run({ moves, look: true })).jobs).toBe(0);
  const { id } = await park(1);
  expect((await run({ moves, look: true })).jobs).toBe(1);
  expect([await holders(), await where()]).toEqual([[id], { parked: [1], back: [0, 2] }]);
  // What begins is not stopped by it: a slot that is kept for one whose queue goes on stays.
  await park(1, 'mail');
  expect((await run({ moves, look: true })).jobs).toBe(0);
});

test('what stands in great numbers is passed over in pages, and nobody in between is lost', async () => {
  const queues = Array.from({ length: 620 }, (_, index) => (index % 300 === 299 ? 'mail' : 'slow'));
  const { jobs, run, slots } = await parkFor(Array(620).fill(3), {}, queues);
  const { passed, ...done } = await run({ moves });
  expect(done.jobs).toBe(3);
  // Two that go on, and then the oldest.
  expect(Object.keys((await slots()).holders)).toEqual([299, 599, 0].map((index) => jobs[index]?.id));
  expect(passed?.queues).toEqual(new Set(['slow']));
}, 20_000);
