import { setImmediate as turn } from 'node:timers/promises';
import { type Event, encodeBatch, encodeEvent, uuidV7 } from '@jetbeat/core';
import { expect } from 'vitest';
import { readEventId } from './event-id.ts';
import { createFeed, type Feed } from './feed.ts';
import { createHub } from './hub.ts';
import { createOutlet } from './outlet.ts';
import { createView } from './view.ts';

const CREATED = 1_700_000_000_000;
const MOST_WAITING = 2_000;

function ended(at: number): Event {
  const id = uuidV7(CREATED, Buffer.from(String(at).padStart(10, '0')));
  return {
    kind: 'ended',
    job: id,
    task: 'a.b',
    queue: at % 3 === 0 ? 'mail' : 'default',
    priority: 'normal',
    createdAt: CREATED,
    runAt: CREATED,
    attempt: 1,
    run: 1,
    parks: 0,
    at: CREATED,
    state: 'cancelled',
    reason: { code: 'cancelled', text: 'x' },
  };
}

/** EVENTS, without a server. */
export function createStore() {
  const batches: { seq: number; data: Uint8Array; count: number }[] = [];
  let events = 0;
  let recorded = 0;
  let first = 1;
  let readable = 32;
  let isSure = true;
  return {
    batches,
    /** Entries that are in history. */
    get recorded() {
      return batches.slice(0, recorded).reduce((sum, { count }) => sum + count, 0);
    },
    publish(count: number) {
      const texts = Array.from({ length: count }, () => encodeEvent(ended(events++)));
      batches.push({ seq: batches.length + 1, data: encodeBatch(texts), count });
    },
    record(count: number) {
      recorded = Math.min(batches.length, recorded + count);
    },
    trim() {
      first = Math.max(1, recorded - 1);
    },
    /** How many batches the replica that answers has at most; none: it lags behind. */
    answer(count: number) {
      readable = count;
    },
    /** Whether it is known of the clients that they still may be told. */
    trust(sure: boolean) {
      isSure = sure;
    },
    ports: {
      isConnected: () => true,
      mayTell: () => isSure,
      stand: async () => ({ created: CREATED, lastSeq: batches.length, recordedUpTo: recorded }),
      async readEvents({ from, upTo }: { from: number; upTo: number }) {
        await turn();
        return batches.filter(({ seq }) => seq >= Math.max(from, first) && seq <= upTo).slice(0, readable);
      },
    },
  };
}

/** A client that reads when it is told to. */
export function createClient() {
  const unread: (() => void)[] = [];
  let text = '';
  let close = () => {};
  const response = {
    write(chunk: Buffer, read: () => void) {
      text += chunk.toString();
      unread.push(read);
      return true;
    },
    end: () => {},
    once: (_event: string, listener: () => void) => {
      close = listener;
    },
    on: () => {},
  };
  const outlet = createOutlet({ response: response as never, most: () => MOST_WAITING });
  return {
    outlet,
    read: () => {
      for (const done of unread.splice(0)) done();
    },
    close: () => close(),
    /** Ids of events and places, and what was left out. */
    get lines() {
      return text
        .split('\n\n')
        .filter((frame) => frame.includes('id: '))
        .map((frame) => ({
          id: /id: (.*)/.exec(frame)?.[1] ?? '',
          type: /event: (.*)/.exec(frame)?.[1],
          reason: /"reason":"(slow|trimmed|too-far|unknown|restarted)"/.exec(frame)?.[1],
        }));
    },
  };
}

type Client = ReturnType<typeof createClient>;

/** Where an id is among all entries of all batches: a number that grows by one from entry to entry. */
function placeIn(batches: readonly { seq: number; count: number }[], id: string): number {
  const place = readEventId(id);
  if (!place) throw new Error(`${id} is no id`);
  const before = batches.slice(0, Math.max(0, place.seq - 1)).reduce((sum, { count }) => sum + count, 0);
  const own = batches[place.seq - 1]?.count ?? 0;
  return before + (place.index === undefined ? own : place.index + 1);
}

/** Checks what a client was told: each entry once and in order, and all of them but what a gap covers. Returns how far that is. */
function check(
  batches: readonly { seq: number; count: number }[],
  lines: Client['lines'],
  sees: (entry: number) => boolean,
): number | undefined {
  let told: number | undefined;
  for (const { id, type, reason } of lines) {
    const place = placeIn(batches, id);
    const from = told ?? place;
    const isEvent = type !== undefined && type !== 'gap';
    if (type === 'gap') expect(reason).toMatch(/^(slow|trimmed|unknown)$/);
    else {
      const between = Array.from({ length: Math.max(0, place - from) }, (_, index) => from + index);
      expect((isEvent ? between.slice(0, -1) : between).filter(sees)).toEqual([]);
    }
    if (isEvent && told !== undefined) expect(place).toBeGreaterThan(told);
    else expect(place).toBeGreaterThanOrEqual(from);
    told = place;
  }
  return told;
}

/** Two processes with streams over one store, and their clients. */
export interface World {
  /** What can happen, by name; the number says to whom, or how much. */
  readonly acts: Readonly<Record<string, (n: number) => unknown>>;
  /** Lets everything get to its end, and checks what each client was told. */
  finish(): Promise<void>;
}

/** @param seesAll false: the clients see one event of three */
export async function createWorld(seesAll: boolean): Promise<World> {
  const store = createStore();
  const hubs = [1, 2].map(() => createHub({ ports: store.ports, poke: () => {} }));
  for (const hub of hubs) hub.enter();
  const { signal } = new AbortController();
  const view = createView(seesAll ? {} : { queue: ['mail'] }, { payloads: true });
  const clients: (Client & { feed: Feed; begun: Promise<void> })[] = [];
  const join = (after: string | undefined, n: number) => {
    const hub = hubs[n % 2];
    if (!hub) return;
    const client = createClient();
    const place = after === undefined ? undefined : readEventId(after);
    const feed = createFeed({ hub, outlet: client.outlet, view, after: place });
    clients.push(Object.assign(client, { feed, begun: feed.begin() }));
  };
  const passing = hubs.map((hub): Promise<unknown> => hub.pass(signal));
  await Promise.all(passing);
  const pass = (n: number) => {
    passing[n % 2] = (passing[n % 2] ?? Promise.resolve()).then(() => hubs[n % 2]?.pass(signal));
  };
  const one = <Value>(values: readonly Value[], n: number) => values[n % Math.max(1, values.length)];
  const readAll = () => {
    for (const client of clients) client.read();
  };
  const toItsEnd = async (begun: Promise<void>) => {
    for (let isDone = false; !isDone; ) {
      readAll();
      pass(0);
      pass(1);
      isDone = await Promise.race([begun.then(() => true), Promise.all(passing).then(() => turn(false))]);
    }
  };
  return {
    acts: {
      publish: (n) => store.publish((n % 6) + 1),
      record: (n) => store.record((n % 4) + 1),
      answer: (n) => store.answer(n % 4),
      trim: () => store.trim(),
      pass,
      join: (n) => join(undefined, n),
      resume: (n) =>
        join(
          one(
            clients.flatMap(({ lines }) => lines),
            n,
          )?.id,
          n >> 1,
        ),
      read: (n) => one(clients, n)?.read(),
      beat: (n) => one(clients, n)?.feed.beat(),
      leave: (n) => one(clients, n)?.close(),
      turn: () => turn(),
    },
    async finish() {
      // Nothing is told before history has it.
      for (const { id } of clients.flatMap(({ lines }) => lines))
        expect(placeIn(store.batches, id)).toBeLessThanOrEqual(store.recorded);
      store.answer(32);
      store.record(1_000);
      for (const { begun } of clients) await toItsEnd(begun);
      await toItsEnd(Promise.all(passing).then(() => {}));
      readAll();
      await turn();
      for (const client of clients) {
        if (!client.outlet.closed) client.feed.beat();
        const told = check(store.batches, client.lines, (entry) => seesAll || entry % 3 === 0);
        if (!client.outlet.closed) expect(told).toBe(store.recorded);
      }
    },
  };
}
