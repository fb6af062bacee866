import { FIRST_POSITION } from '@jetbeat/core';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PublishRefusedError } from '../connection/errors.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { createPublisher, type Published } from './publisher.ts';

function job(id: string, at?: number): JobToPublish {
  const envelope = {
    v: 1 as const,
    id,
    task: 't',
    queue: 'default',
    priority: 'normal' as const,
    input: 1,
    createdAt: 0,
    runAt: at ?? 0,
    ...FIRST_POSITION,
  };
  return { envelope, traceparent: '', ...(at === undefined ? {} : { at }) };
}

const stored = (seq: number, delayed = false): PublishResult => ({
  ok: true,
  seq,
  duplicate: false,
  delayed,
});

/** A publisher with a server that the test plays. */
function create(
  options: {
    answer?: (item: JobToPublish) => PublishResult;
    connected?: () => boolean;
    maxQueued?: number;
    tell?: () => Promise<unknown>;
  } = {},
) {
  const windows: string[][] = [];
  const told: string[] = [];
  const notes: Published[] = [];
  const warnings: string[] = [];
  let now = 0;
  let open = () => {};
  let gate: Promise<void> | undefined;
  const publisher = createPublisher({
    publish: async (items) => {
      windows.push(items.map(({ envelope }) => envelope.id));
      await gate;
      return items.map((item) => options.answer?.(item) ?? stored(1));
    },
    async tell(events) {
      await options.tell?.();
      told.push(...events.map(({ job }) => job));
    },
    notePublished: async (rows) => void notes.push(...rows),
    isConnected: options.connected ?? (() => true),
    log: { warn: (_: object, text?: string) => void warnings.push(String(text)) },
    clock: () => now,
    ...(options.maxQueued === undefined ? {} : { maxQueued: options.maxQueued }),
  });
  return {
    publisher,
    windows,
    told,
    notes,
    warnings,
    hold: () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    release: () => {
      gate = undefined;
      open();
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('what comes during one window goes together in the next, and everything is noted', async () => {
  const { publisher, windows, notes, hold, release } = create({
    answer: ({ at }) => stored(7, at !== undefined),
  });
  hold();
  publisher.add([job('a')]);
  publisher.add([job('b')]);
  publisher.add([job('c', 10)]);
  release();
  await publisher.stop(1_000);
  expect(windows).toEqual([['a'], ['b', 'c']]);
  // A timer has no sequence under which it will be delivered.
  expect(notes).toEqual([{ id: 'a', seq: 7 }, { id: 'b', seq: 7 }, { id: 'c' }]);
});

test('what the server does not confirm is left to the recorder', async () => {
  const error = new PublishRefusedError('storage_full', 'full');
  const { publisher, notes, warnings } = create({
    answer: ({ envelope }) => (envelope.id === 'a' ? { ok: false, error } : stored(2)),
  });
  publisher.add([job('a')]);
  publisher.add([job('b')]);
  await publisher.stop(1_000);
  expect(notes).toEqual([{ id: 'b', seq: 2 }]);
  expect(warnings).toEqual(['committed jobs could not be published: the recorder will']);
});

test('what went out is told of before it is noted, and what could not be told of is left to the recorder', async () => {
  const { promise: stored, resolve: store } = Promise.withResolvers<void>();
  const slow = create({ tell: () => stored });
  slow.publisher.add([job('a')]);
  slow.publisher.add([job('b')]);
  expect(await Promise.race([slow.publisher.stop(1).then(() => 'stopped'), stored])).toBe('stopped');
  expect([slow.windows, slow.told, slow.notes]).toEqual([[['a'], ['b']], [], []]);
  store();
  await slow.publisher.stop(1_000);
  expect([slow.told, slow.notes.map(({ id }) => id)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  const failing = create({ tell: () => Promise.reject(new Error('EVENTS is full')) });
  failing.publisher.add([job('a')]);
  await failing.publisher.stop(1_000);
  expect(failing.notes).toEqual([{ id: 'a', seq: 1, untold: true }]);
  expect(failing.warnings).toHaveLength(1);
});

test('while telling hangs jobs go on to be published, and where they are is noted', async () => {
  const { promise: asked, resolve: store } = Promise.withResolvers<void>();
  let tellings = 0;
  const { publisher, windows, told, notes } = create({
    answer: ({ at }) => stored(5, at !== undefined),
    tell: () => {
      tellings += 1;
      return asked;
    },
  });
  const all = Array.from({ length: 4_000 }, (_, n) => job(`${n}`));
  publisher.add([job('first')]);
  publisher.add(all);
  // They do not wait for the first to be told of.
  while (windows.length < 9) await new Promise(setImmediate);
  expect([notes, tellings]).toEqual([[], 1]);
  while (notes.length < 4_001) await new Promise(setImmediate);
  publisher.add([job('later'), job('timer', 10)]);
  // Nor does another wait for the bound once more, which does not come here.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  while (notes.length < 4_003) await new Promise(setImmediate);
  vi.useRealTimers();
  expect([told, tellings]).toEqual([[], 1]);
  expect(notes.filter(({ untold }) => !untold)).toEqual([]);
  expect(notes.slice(-2)).toEqual([
    { id: 'later', seq: 5, untold: true },
    { id: 'timer', untold: true },
  ]);
  store();
  await new Promise(setImmediate);
  publisher.add([job('last')]);
  await publisher.stop(1_000);
  expect([told, notes.at(-1)]).toEqual([['first', 'last'], { id: 'last', seq: 5 }]);
}, 10_000);

test('what goes out while others are told of and noted is told of and noted too', async () => {
  const { promise: mayTell, resolve: tellNow } = Promise.withResolvers<void>();
  const { publisher, windows, told, notes, hold, release } = create({ tell: () => mayTell });
  const sent = async (count: number) => {
    while (windows.length < count) await Promise.resolve();
  };
  publisher.add([job('a')]);
  await sent(1);
  publisher.add([job('b')]);
  await sent(2);
  hold();
  publisher.add([job('c')]);
  await sent(3);
  tellNow();
  // The others are noted while the last one is on its way.
  while (notes.length < 2) await Promise.resolve();
  release();
  await publisher.stop(1_000);
  expect([told, notes.map(({ id }) => id)]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

test('a job that is over without being published is noted, and not told of', async () => {
  const answer = ({ envelope }: JobToPublish): PublishResult =>
    envelope.id === 'a' ? { ok: true, seq: 0, duplicate: true, delayed: true, over: true } : stored(3);
  const { publisher, told, notes } = create({ answer });
  publisher.add([job('a')]);
  publisher.add([job('b')]);
  await publisher.stop(1_000);
  expect([told, notes]).toEqual([['b'], [{ id: 'a' }, { id: 'b', seq: 3 }]]);
});

test('while NATS is away nothing is kept in memory', async () => {
  const { publisher, windows, warnings } = create({ connected: () => false });
  publisher.add([job('a')]);
  await publisher.stop(1_000);
  expect(windows).toEqual([]);
  expect(warnings).toEqual(['committed jobs are left to the recorder to publish']);
});

test('the queue is bounded', async () => {
  const { publisher, windows, warnings, hold, release } = create({ maxQueued: 2 });
  hold();
  for (const id of ['a', 'b', 'c', 'd']) publisher.add([job(id)]);
  release();
  await publisher.stop(1_000);
  expect(windows).toEqual([['a'], ['d']]);
  expect(warnings).toHaveLength(1);
});

test('what is on its way counts as not published, in bytes', async () => {
  const { publisher, hold, release } = create({ maxQueued: 2 });
  const of = (id: string, bytes: number) => ({ ...job(id), bytes });
  const seen: number[] = [];
  const add = (...jobs: JobToPublish[]) => {
    publisher.add(jobs);
    seen.push(publisher.waitingBytes);
  };
  hold();
  add(of('a', 1), job('b'));
  add(of('c', 10), of('d', 100));
  // Too many: those that wait are left to the recorder.
  add(of('e', 1_000));
  release();
  await publisher.stop(1_000);
  expect(seen).toEqual([1, 111, 1_001]);
  expect(publisher.waitingBytes).toBe(0);
});

test('what comes just when all is published is published too', async () => {
  for (let turns = 0; turns < 25; turns++) {
    const { publisher, windows, warnings } = create();
    publisher.add([job('a')]);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    publisher.add([job('b')]);
    await publisher.stop(1_000);
    expect([turns, ...windows.flat(), ...warnings]).toEqual([turns, 'a', 'b']);
  }
});

test('it is in order while it gets on, and stopping is bounded', async () => {
  const { publisher, hold, release, pass } = create();
  expect(publisher.moving).toBe(true);
  hold();
  publisher.add([job('a')]);
  pass(10_000);
  expect(publisher.moving).toBe(true);
  pass(11_000);
  expect(publisher.moving).toBe(false);
  await publisher.stop(1);
  publisher.add([job('b')]);
  release();
  await publisher.stop(1_000);
  expect(publisher).toMatchObject({ moving: true, waiting: 0 });
});
