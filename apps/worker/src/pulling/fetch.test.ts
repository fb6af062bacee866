import type { Priority } from '@jetbeat/core';
import {
  type JobSource,
  LANES,
  type Lane,
  lanesOf,
  type PullEnd,
  type PullRequest,
} from '@jetbeat/jetstream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFetch } from './fetch.ts';
import { createTurns } from './lanes.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** One queue whose server is played by hand; nothing comes back from a parking place but what `front` says. */
function bench(room: number, roomOf?: () => number, front?: Priority) {
  const pulls: string[] = [];
  const out = Object.fromEntries(LANES.map((lane) => [lane, 0])) as Record<Lane, number>;
  const state = { room, now: 0, longestMs: 0 };
  const source: JobSource = {
    pull(lane: Lane, { batch, noWait, expiresMs = 0 }: PullRequest) {
      state.longestMs = Math.max(state.longestMs, expiresMs);
      const isSilent = lane.endsWith('-front') && lane !== `${front}-front`;
      if (!isSilent) pulls.push(`${lane} ${batch}${noWait ? '' : ' waiting'}`);
      out[lane] += batch;
      if (isSilent && noWait) end(lane, 'empty', 0, batch);
    },
    outstanding: (lane) => out[lane],
    pulls: (priority) => lanesOf(priority).filter((lane) => out[lane] > 0).length,
    close: async () => {},
  };
  const sources = new Map([['q', source]]);
  const fetch = createFetch({
    sources,
    turns: createTurns(['q']),
    room: () => state.room,
    roomOf,
    isWorth: (open) => open > 0,
    now: () => state.now,
  });
  const end = (lane: Lane, status: PullEnd['status'], left = 0, undelivered = 0) => {
    out[lane] = left;
    fetch.ended('q', { lane, status, undelivered, outstanding: left });
  };
  /** What was pulled since it was asked last. */
  const pulled = () => pulls.splice(0);
  /** Everything is empty, and a pull waits on every lane. */
  const rest = () => {
    fetch.fill();
    for (const priority of ['high', 'normal', 'low'] as const) end(priority, 'empty');
    pulled();
  };
  return { fetch, state, out, end, pulled, rest, sources, source };
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

test('no pull waits so long that a worker that is full meanwhile takes much away from idle ones', () => {
  const { rest, state, out } = bench(10);
  rest();
  expect(LANES.map((lane) => out[lane])).toEqual(LANES.map(() => 1));
  expect(state.longestMs).toBe(5_000);
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

test('a worker without room lets its waiting pulls end; then the lanes are asked in their turn again, high first', () => {
  const { fetch, end, pulled, rest, state } = bench(1);
  rest();
  state.room = 0;
  for (const priority of ['high', 'normal', 'low'] as const) end(priority, 'expired');
  expect(pulled()).toEqual([]);
  state.room = 1;
  fetch.fill();
  expect(pulled()).toEqual(['high 1']);
  end('high', 'empty');
  expect(pulled()).toEqual(['high 1 waiting', 'normal 1']);
});

test('one after the other is asked by its share, and what did not come is not counted', () => {
  const { fetch, end, pulled, state } = bench(1);
  const asked = Array.from({ length: 20 }, () => {
    state.room = 1;
    fetch.fill();
    const [pull = 'none'] = pulled();
    state.room = 0;
    end(pull.split(' ')[0] as Priority, 'done');
    return pull;
  });
  const count = (pull: string) => asked.filter((each) => each === pull).length;
  expect(['high 1', 'normal 1', 'low 1'].map(count)).toEqual([12, 6, 2]);
});

test('a queue without room of its own is asked for nothing, one with some for no more than that', () => {
  let most = 0;
  const { fetch, end, pulled } = bench(10, () => most);
  fetch.fill();
  expect(pulled()).toEqual([]);
  most = 3;
  fetch.fill();
  expect(pulled()).toEqual(['high 3']);
  most = 0;
  end('high', 'empty');
  expect(pulled()).toEqual([]);
  most = 2;
  fetch.fill();
  // High has had three, and that is not forgotten for want of room.
  expect(pulled()).toEqual(['normal 2']);
});

test('what a pull was asked for and did not bring is not counted, also when it was lost', () => {
  const { fetch, end, pulled } = bench(40);
  fetch.fill();
  expect(pulled()).toEqual(['high 40']);
  end('high', 'lost', 0, 40);
  vi.advanceTimersByTime(250);
  // Had it had its share of 40, it would be another's turn.
  expect(pulled()).toEqual(['high 40']);
});

test('a queue that is left is asked no more and counts no more, and one that comes is asked', () => {
  const { fetch, end, pulled, out, sources, source } = bench(10);
  fetch.fill();
  expect(pulled()).toEqual(['high 10']);
  sources.delete('q');
  fetch.remove('q');
  end('high', 'done');
  fetch.fill();
  expect(pulled()).toEqual([]);
  out.high = 0;
  sources.set('q', source);
  fetch.add('q');
  fetch.fill();
  expect(pulled()).toEqual(['high 10']);
  end('high', 'empty');
  expect(pulled()).toEqual(['high 1 waiting', 'normal 10']);
});

test('what comes back from a parking place goes before what has not begun to wait, and is of its priority', () => {
  const { fetch, end, pulled, state } = bench(1, undefined, 'low');
  const asked = Array.from({ length: 40 }, () => {
    state.room = 1;
    fetch.fill();
    const [pull = 'none'] = pulled();
    state.room = 0;
    end(pull.split(' ')[0] as Lane, 'done');
    return pull;
  });
  const count = (pull: string) => asked.filter((each) => each === pull).length;
  expect(['high 1', 'normal 1', 'low-front 1', 'low 1'].map(count)).toEqual([24, 12, 4, 0]);
  state.room = 10;
  fetch.fill();
  end('high', 'empty');
  end('normal', 'empty');
  pulled();
  end('low-front', 'empty');
  expect(pulled()).toEqual(['low-front 1 waiting', 'low 10']);
});
