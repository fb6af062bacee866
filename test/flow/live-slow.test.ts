import { expect, test } from 'vitest';
import { createLiveBench } from '../support/live.ts';
import { openRawStream } from '../support/raw-stream.ts';
import { newJob, settledEvent, startedEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const FAST = 480;
const SLOW = 20;
const KEYS = 5;
/** Events of 4 KiB and more in one round: how much the kernel keeps for a connection that nobody reads is its own affair. */
const LARGE = 60;
const MOST_ROUNDS = 100;
/** After all of the slow ones have more than may wait for them. */
const MORE_ROUNDS = 4;
/** 64 MiB for all of 500. */
const SHARE = (64 * 1024 ** 2) / (FAST + SLOW);

async function readings(url: string): Promise<{ waiting: number; streams: number; gaps: number }> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const of = (name: string) =>
    Number(new RegExp(`^${name}(?:{.*?})? (\\d+)$`, 'm').exec(page)?.[1] ?? Number.NaN);
  return {
    waiting: of('jetbeat_api_stream_waiting_bytes'),
    streams: of('jetbeat_api_streams'),
    gaps: of('jetbeat_api_stream_gaps_total'),
  };
}

test('of 500 clients 20 do not read: they are told of a gap, what waits for them is bounded, and the others miss nothing', async () => {
  const bench = await createLiveBench();
  const { url } = await bench.api();
  const keys = await Promise.all(Array.from({ length: KEYS }, () => bench.key({})));
  const open = (query: string, index: number) =>
    openRawStream(`${url}/api/v1/events${query}`, keys[index % KEYS] ?? '');
  const slow = await Promise.all(Array.from({ length: SLOW }, (_, index) => open('', index)));
  const fast = await Promise.all(
    Array.from({ length: FAST }, (_, index) => open('?task=report.send&type=job.running', index)),
  );
  for (const stream of fast) stream.read();
  expect((await readings(url)).streams).toBe(FAST + SLOW);

  const result = 'x'.repeat(4_000);
  let rounds = 0;
  let full = 0;
  let most = 0;
  while (full < MORE_ROUNDS && rounds < MOST_ROUNDS) {
    const large = Array.from({ length: LARGE }, () => settledEvent(newJob(), { result }));
    const told = startedEvent(newJob({ task: 'report.send' }));
    await Promise.all([...large, told].map((event) => bench.events.publish(event)));
    rounds += 1;
    const heard = () => fast.every(({ types }) => types.length >= rounds);
    await waitUntil('all have heard of it', heard, { everyMs: 5 });
    const { waiting } = await readings(url);
    most = Math.max(most, waiting);
    if (waiting >= SLOW * SHARE) full += 1;
  }
  expect(full).toBe(MORE_ROUNDS);
  // A slice more than its share for each.
  expect(most).toBeLessThanOrEqual(SLOW * 1.5 * SHARE);
  const all = Array.from({ length: rounds }, () => 'job.running');
  expect(fast.map(({ types }) => types)).toEqual(fast.map(() => all));

  for (const stream of slow) stream.read();
  await Promise.all(slow.map((stream) => stream.seen('gap')));
  await bench.events.publish(settledEvent(newJob(), { outcome: 'cancelled', next: { state: 'cancelled' } }));
  await Promise.all(slow.map((stream) => stream.seen('job.cancelled')));
  for (const { types } of slow) expect(types.lastIndexOf('gap')).toBeLessThan(types.indexOf('job.cancelled'));
  // More than one for each where the kernel has taken some of it between the rounds.
  const told = slow.flatMap(({ types }) => types.filter((type) => type === 'gap')).length;
  expect(await readings(url)).toMatchObject({ gaps: told, waiting: 0 });
  for (const stream of [...slow, ...fast]) stream.close();
  await waitUntil('they are gone', async () => (await readings(url)).streams === 0);
}, 120_000);
