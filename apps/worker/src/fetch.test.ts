import type { Priority } from '@jetbeat/core';
import type { JobSource, PullEnd, PullRequest } from '@jetbeat/jetstream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFetch } from './fetch.ts';
import { createTurns } from './lanes.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** One queue whose server is played by hand. */
function bench(room: number) {
  const pulls: string[] = [];
  const out: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  const state = { room, now: 0 };
  const source: JobSource = {
    pull(priority: Priority, { batch, noWait }: PullRequest) {
      pulls.push(`${priority} ${batch}${noWait ? '' : ' waiting'}`);
      out[priority] += batch;
    },
    outstanding: (priority) => out[priority],
    close: async () => {},
  };
  const fetch = createFetch({
    sources: new Map([['q', source]]),
    turns: createTurns(['q']),
    room: () => state.room,
    isWorth: (open) => open > 0,
    now: () => state.now,
  });
  const end = (priority: Priority, status: PullEnd['status'], left = 0) => {
    out[priority] = left;
    fetch.ended('q', { priority, status, undelivered: 0, outstanding: left });
  };
  /** What was pulled since it was asked last. */
  const pulled = () => pulls.splice(0);
  /** Everything is empty, and a pull waits on every lane. */
  const rest = () => {
    fetch.fill();
    for (const priority of ['high', 'normal', 'low'] as const) end(priority, 'empty');
    pulled();
  };
  return { fetch, state, out, end, pulled, rest };
}

test('lanes are asked in turn; on each that is empty a small pull waits', () => {
  const { fetch, end, pulled } = bench(10);
  fetch.fill();
  expect(pulled()).toEqual(['high 10']);
  end('high', 'empty');
  end('normal', 'empty');
  end('low', 'empty');
  expect(pulled()).toEqual(['high 1 waiting', 'normal 10', 'normal 1 waiting', 'low 10', 'low 1 waiting']);
  fetch.fill();
  expect(pulled()).toEqual([]);
});

test('when a waiting pull has brought something, its lane is asked, and the next one waits at once', () => {
  const { end, pulled, rest, state } = bench(10);
  rest();
  state.room = 9;
  end('normal', 'done');
  expect(pulled()).toEqual(['normal 8', 'normal 1 waiting']);
  end('normal', 'empty', 1);
  expect(pulled()).toEqual([]);
});

test('where jobs come one after the other a waiting pull asks for more, up to a share of the room, and for less later', () => {
  const { end, pulled, rest, state } = bench(60);
  rest();
  const next = (afterMs: number) => {
    state.now += afterMs;
    end('normal', 'done');
    const batch = Number(pulled()[1]?.split(' ')[1]);
    end('normal', 'empty', batch);
    return batch;
  };
  expect([9, 9, 9, 9, 9].map(next)).toEqual([2, 4, 8, 10, 10]);
  state.room = 12;
  expect(next(9)).toBe(2);
  state.room = 60;
  expect([10, 10, 10, 10, 10].map(next)).toEqual([10, 10, 8, 4, 2]);
});

test('with one slot nothing is asked beyond it', () => {
  const { fetch, end, pulled, rest, state } = bench(1);
  rest();
  state.room = 0;
  end('normal', 'done');
  expect(pulled()).toEqual([]);
  state.room = 1;
  fetch.fill();
  expect(pulled()).toEqual(['normal 1']);
});

test('a lane that gives is asked again before it has given all, never beyond the room', () => {
  const { fetch, out, end, pulled, rest, state } = bench(640);
  rest();
  state.now = 10;
  end('normal', 'done');
  expect(pulled()).toEqual(['normal 512', 'normal 1 waiting']);
  out.normal = 300;
  fetch.fill();
  expect(pulled()).toEqual([]);
  out.normal = 200;
  state.room = 500;
  fetch.fill();
  expect(pulled()).toEqual(['normal 300']);
  state.room = 450;
  out.normal = 450;
  end('normal', 'done', 450);
  expect(pulled()).toEqual([]);
});

test('a refused or lost pull is followed by a pause', () => {
  const { fetch, end, pulled } = bench(5);
  fetch.fill();
  end('high', 'refused');
  fetch.fill();
  expect(pulled()).toEqual(['high 5']);
  vi.advanceTimersByTime(250);
  expect(pulled()).toHaveLength(1);
  end('high', 'lost');
  fetch.stop();
  vi.advanceTimersByTime(1_000);
  fetch.fill();
  expect([pulled(), vi.getTimerCount()]).toEqual([[], 0]);
});
