import type { Event, Progress } from '@jetbeat/core';
import type { Delivery, EventPublisher } from '@jetbeat/jetstream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { instant } from '../ends/own-retries.ts';
import { Held } from '../held.ts';
import { createProgressTeller, type ProgressTeller } from './progress.ts';

let told: Progress[];
let stored: (() => void)[];
let events: { full: boolean } & Pick<EventPublisher, 'publish'>;
let teller: ProgressTeller;
let runs = 0;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  stored = [];
  events = {
    full: false,
    publish: (event: Event) => {
      if (event.kind === 'progress') told.push(event.note === undefined ? { value: event.value } : event);
      return new Promise((resolve) => stored.push(() => resolve({ seq: 1 })));
    },
  };
  teller = createProgressTeller({ events, worker: 'w', now: Date.now });
});
afterEach(() => {
  teller.stop();
  vi.useRealTimers();
});

function running(): Held {
  const job = {
    ...({ v: 1, id: `job ${runs++}`, task: 't', queue: 'q', priority: 'normal', input: null } as const),
    createdAt: 0,
    runAt: 0,
    attempt: 1,
    run: 1,
    parks: 0,
  };
  const delivery = { seq: 1 } as Delivery;
  const held = new Held({ job, delivery, since: instant(), suspect: false, traced: false });
  held.phase = 'running';
  return held;
}

const values = () => told.map(({ value }) => value);

test('the last of each quarter of a second is told, one at a time', async () => {
  const held = running();
  for (let value = 0; value <= 10; value++) teller.note(held, { value });
  expect(values()).toEqual([]);
  vi.advanceTimersByTime(250);
  expect(values()).toEqual([10]);
  teller.note(held, { value: 20 });
  vi.advanceTimersByTime(1_000);
  // The one before is still on its way.
  expect(values()).toEqual([10]);
  stored[0]?.();
  await vi.advanceTimersByTimeAsync(250);
  expect(values()).toEqual([10, 20]);
  stored[1]?.();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(values()).toEqual([10, 20]);
});

test('what was said last goes out before the end, and nothing after it', () => {
  const [held, other] = [running(), running()];
  teller.note(held, { value: 1 });
  vi.advanceTimersByTime(250);
  teller.note(held, { value: 2 });
  teller.note(other, { value: 3 });
  teller.end(held);
  expect(values()).toEqual([1, 2]);
  held.phase = 'settling';
  teller.note(held, { value: 4 });
  teller.end(held);
  vi.advanceTimersByTime(250);
  expect(values()).toEqual([1, 2, 3]);
});

test('there are a hundred at a time at most, and all get their turn', () => {
  const all = Array.from({ length: 250 }, running);
  for (const held of all) teller.note(held, { value: 1 });
  const counts = [0, 0, 0, 0].map(() => {
    vi.advanceTimersByTime(250);
    for (const held of all.slice(0, 100)) teller.note(held, { value: 2 });
    return told.length;
  });
  expect(counts).toEqual([100, 200, 250, 250]);
});

test('without room for events nothing is told, and the last is kept', () => {
  const held = running();
  events.full = true;
  teller.note(held, { value: 1 });
  vi.advanceTimersByTime(1_000);
  teller.end(running());
  expect(values()).toEqual([]);
  events.full = false;
  vi.advanceTimersByTime(250);
  expect(values()).toEqual([1]);
  teller.stop();
  teller.note(held, { value: 2 });
  vi.advanceTimersByTime(1_000);
  expect(values()).toEqual([1]);
});
