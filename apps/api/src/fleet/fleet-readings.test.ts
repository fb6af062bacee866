import type { JetStreamView } from '@jetbeat/jetstream';
import type { Census } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { readFleet } from './fleet-readings.ts';

const VIEW: JetStreamView = {
  lanes: [
    { queue: 'mail', priority: 'high', pending: 3, inFlight: 2, redelivered: 1, pulls: 4, oldestMs: 1_500 },
  ],
  unserved: [
    { queue: 'gone', priority: 'high', jobs: 2 },
    { queue: 'gone', priority: 'low', jobs: 3 },
  ],
  streams: [{ stream: 'JOBS', messages: 9, bytes: 900 }],
  deadLetters: 5,
  parked: 1,
  timers: 3,
  unrecorded: 7,
  unrecordedMs: 2_000,
};
const CENSUS: Census = {
  workers: { running: 2, silent: 1, stopped: 0 },
  jobs: [{ state: 'queued', jobs: 8 }],
  schedules: { active: 4, paused: 1 },
};

/** Sources that count how often they are asked, and a clock. */
function bench(change: { view?: () => Promise<JetStreamView>; census?: () => Promise<Census> } = {}) {
  const asked = { jetstream: 0, postgresql: 0 };
  const clock = { now: 0 };
  const read = readFleet({
    sources: {
      jetstream: () => {
        asked.jetstream += 1;
        return change.view?.() ?? Promise.resolve(VIEW);
      },
      postgresql: () => {
        asked.postgresql += 1;
        return change.census?.() ?? Promise.resolve(CENSUS);
      },
    },
    monotonic: () => clock.now,
  });
  return { asked, clock, read };
}

test('the view in base units', async () => {
  const found = await bench().read();
  const lane = { queue: 'mail', priority: 'high' };
  expect(found).toMatchObject({
    jetbeat_queue_pending_jobs: [{ labels: lane, value: 3 }],
    jetbeat_queue_oldest_age_seconds: [{ labels: lane, value: 1.5 }],
    jetbeat_unserved_jobs: 5,
    jetbeat_timer_jobs: 3,
    jetbeat_parked_jobs: 1,
    jetbeat_dead_letters: 5,
    jetbeat_events_unrecorded_age_seconds: 2,
    jetbeat_stream_bytes: [{ labels: { stream: 'JOBS' }, value: 900 }],
    jetbeat_workers: [
      { labels: { state: 'running' }, value: 2 },
      { labels: { state: 'silent' }, value: 1 },
      { labels: { state: 'stopped' }, value: 0 },
    ],
    jetbeat_open_jobs: [{ labels: { state: 'queued' }, value: 8 }],
  });
});

test('many scrapers cost one look a second', async () => {
  const { asked, clock, read } = bench();
  await Promise.all(Array.from({ length: 100 }, () => read()));
  await read();
  expect(asked).toEqual({ jetstream: 1, postgresql: 1 });
  clock.now = 999;
  await read();
  expect(asked).toEqual({ jetstream: 1, postgresql: 1 });
  clock.now = 1_000;
  await read();
  expect(asked).toEqual({ jetstream: 2, postgresql: 2 });
});

test('a server that is away, or does not answer in time, takes only its own part with it', async () => {
  const away = await bench({ view: () => Promise.reject(new Error('away')) }).read();
  expect(away.jetbeat_fleet_up?.map(({ value }) => value)).toEqual([0, 1]);
  expect(away.jetbeat_queue_pending_jobs).toBeUndefined();
  expect(away.jetbeat_workers).toHaveLength(3);

  const { asked, clock, read } = bench({ census: () => new Promise(() => {}) });
  expect((await read()).jetbeat_fleet_up?.map(({ value }) => value)).toEqual([1, 0]);
  clock.now = 5_000;
  expect((await read()).jetbeat_fleet_up?.map(({ value }) => value)).toEqual([1, 0]);
  // The look that hangs is not asked for again beside itself.
  expect(asked).toEqual({ jetstream: 2, postgresql: 1 });
});
