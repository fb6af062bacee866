import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createClient, createStore, createWorld } from './feed.fixture.ts';
import { createFeed } from './feed.ts';
import { createHub } from './hub.ts';
import { createView } from './view.ts';

const ACTS = [
  ...['publish', 'record', 'pass', 'join', 'resume', 'read', 'beat', 'leave', 'turn', 'answer', 'trim'],
  ...['publish', 'record', 'pass', 'pass', 'turn'],
];

test('whatever comes in between, each client is told everything once and in order, or of a gap', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...ACTS), fc.nat(1_000)), { minLength: 5, maxLength: 80 });
  const live = fc.asyncProperty(steps, fc.boolean(), async (acts, seesAll) => {
    const world = await createWorld(seesAll);
    for (const [what, n] of acts)
      await (what === 'turn' ? world.acts[what]?.(n) : void world.acts[what]?.(n));
    await world.finish();
  });
  await fc.assert(live, { numRuns: 1_000 });
}, 60_000);

test('what a slow client has missed is read again once it reads, and not kept for it meanwhile', async () => {
  const BATCHES = 100;
  const store = createStore();
  for (let n = 0; n < BATCHES; n++) store.publish(3);
  store.record(BATCHES);
  const hub = createHub({ ports: store.ports, poke: () => {} });
  hub.enter();
  await hub.pass(new AbortController().signal);
  const reads: { from: number; upTo: number }[] = [];
  const counted = {
    ...hub,
    read(range: { from: number; upTo: number }) {
      reads.push(range);
      return hub.read(range);
    },
  };
  const client = createClient();
  const after = { epoch: hub.place?.epoch ?? '', seq: 0 };
  const view = createView({}, { payloads: true });
  let isDone = false;
  const feed = createFeed({ hub: counted, outlet: client.outlet, view, after });
  const begun = feed.begin().then(() => {
    isDone = true;
  });
  await expect.poll(() => client.outlet.buffered).toBeGreaterThan(0);
  // Nobody reads: nothing is read for it either.
  for (let n = 0; n < 20; n++) await turn();
  const first = reads.length;
  for (let n = 0; n < 20; n++) await turn();
  expect(reads.length).toBe(first);
  while (!isDone) {
    client.read();
    await turn();
  }
  await begun;
  expect(reads.length).toBeGreaterThan(5);
  // It is not read by the page what is written by the piece.
  for (const { from, upTo } of reads.slice(1)) expect(upTo - from).toBeLessThan(16);
  const told = client.lines.filter(({ type }) => type !== undefined);
  expect([told.length, feed.gaps]).toEqual([3 * BATCHES, 0]);
});

test('while it is not known whether a client still may, it is told nothing of what it has missed, also not of what was read before', async () => {
  const BATCHES = 100;
  const store = createStore();
  for (let n = 0; n < BATCHES; n++) store.publish(3);
  store.record(BATCHES);
  let asked = 0;
  let doubtIn = Number.POSITIVE_INFINITY;
  let second = 0;
  const client = createClient();
  const told = () => client.lines.filter(({ type }) => type !== undefined).length;
  const ports = {
    ...store.ports,
    mayTell() {
      asked += 1;
      return store.ports.mayTell();
    },
    async readEvents(range: { from: number; upTo: number }) {
      doubtIn -= 1;
      if (doubtIn === 0) {
        store.trust(false);
        // There is room to write.
        client.read();
        second = told();
      }
      return store.ports.readEvents(range);
    },
  };
  const hub = createHub({ ports, poke: () => {} });
  hub.enter();
  await hub.pass(new AbortController().signal);
  const after = { epoch: hub.place?.epoch ?? '', seq: 0 };
  const view = createView({}, { payloads: true });
  let isDone = false;
  const feed = createFeed({ hub, outlet: client.outlet, view, after });
  const begun = feed.begin().then(() => {
    isDone = true;
  });
  /** Reads on, and waits until it was asked a few times whether it may be told. */
  const readInDoubt = async () => {
    const before = asked;
    await expect
      .poll(() => {
        client.read();
        return asked - before;
      })
      .toBeGreaterThan(2);
  };
  await expect.poll(() => client.outlet.buffered).toBeGreaterThan(0);
  // Between two pages.
  store.trust(false);
  const first = told();
  await readInDoubt();
  expect([told(), isDone]).toEqual([first, false]);
  // While a page is read.
  doubtIn = 2;
  store.trust(true);
  await expect
    .poll(() => {
      client.read();
      return doubtIn;
    })
    .toBeLessThan(1);
  await readInDoubt();
  expect(told()).toBe(second);
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThan(3 * BATCHES);
  store.trust(true);
  while (!isDone) {
    client.read();
    await turn();
  }
  await begun;
  expect([told(), feed.gaps]).toEqual([3 * BATCHES, 0]);
});
