import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldCrew, startHoldCrew } from '../support/hold-crew.ts';
import { byName, type HeldRun, mostAtOnce } from '../support/hold-ledger.ts';
import { fails, hold } from '../support/hold-task.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 100;
const JOBS = 10_000;
const KILL_EVERY_MS = 5_000;
/**
 * How long a slot may stay empty that a kill has touched: who was killed held it or had just been given it, so it is free when the lease (3 s
 * here) has been missed for a third of its time more, or when it was kept for 10 s; and then somebody has to look, every 3 s.
 */
const AFTER_A_KILL_MS = 4_000 + 10_000 + 2 * 4_500;
/** Of any other key no job waits while the other keys have more turns than this, of a hundred. */
const MOST_TURNS = 25;

/** What lies between two runs of a key. */
interface Break {
  readonly key: string;
  readonly ms: number;
  /** A worker was killed in it, or while the run before it was under way. */
  readonly killed: boolean;
  /** How many jobs of each other key have begun meanwhile, on average: as long on a slow machine as on a fast one. */
  readonly turns: number;
}

function breaksOf(of: readonly HeldRun[], all: readonly HeldRun[], killedAt: readonly number[]): Break[] {
  const sorted = of.toSorted((a, b) => a.from - b.from);
  const starts = all.map(({ from }) => from).toSorted((a, b) => a - b);
  const before = (time: number) => {
    const index = starts.findIndex((start) => start >= time);
    return index < 0 ? starts.length : index;
  };
  return sorted.slice(1).map(({ from, name }, index) => {
    const last = sorted[index];
    const begun = last?.from ?? from;
    const ended = last?.to ?? from;
    return {
      key: name,
      ms: from - ended,
      killed: killedAt.some((at) => at >= begun && at <= from),
      turns: Math.max(0, before(from) - before(ended)) / KEYS,
    };
  });
}

let crew: HoldCrew;

beforeAll(async () => {
  crew = await startHoldCrew({ concurrency: 50 });
}, 90_000);
afterAll(() => crew?.stop(), 60_000);

test.each([
  { kills: false, name: 'calm' },
  { kills: true, name: 'killed' },
])(
  `${JOBS} jobs over ${KEYS} keys with one slot each, workers killed: $kills`,
  async ({ kills, name }) => {
    const began = Date.now();
    await crew.client.enqueueMany(
      hold,
      Array.from({ length: JOBS }, (_, index) => ({
        input: { file: crew.ledger.file, name: `${name}-${index % KEYS}`, ms: 20 },
        options: { concurrencyKey: `${name}-${index % KEYS}` },
      })),
    );
    const end = Date.now() + 400_000;
    for (let kill = Date.now() + KILL_EVERY_MS; (await crew.finished(`${name}-`)) < JOBS; await pause(500)) {
      if (Date.now() > end) throw new Error(`only ${await crew.finished(`${name}-`)} of ${JOBS} have ended`);
      if (!kills || Date.now() < kill) continue;
      kill = Date.now() + KILL_EVERY_MS;
      await crew.killWorker();
    }
    const runs = (await crew.runs()).filter((run) => run.name.startsWith(`${name}-`));
    expect(new Set(runs.map(({ job }) => job)).size).toBe(JOBS);
    const keys = [...byName(runs)];
    expect(keys.filter(([, of]) => mostAtOnce(of) > 1)).toEqual([]);
    const all = keys.flatMap(([, of]) => breaksOf(of, runs, crew.killedAt));
    const [touched = [], others = []] = [true, false].map((by) => all.filter(({ killed }) => killed === by));
    // Timers of the system end these; a busy machine makes all of them longer, but gives the others no more turns.
    const tooLong = touched.filter(({ ms, turns }) => ms > AFTER_A_KILL_MS && turns > MOST_TURNS);
    expect(tooLong).toEqual([]);
    expect(others.filter(({ turns }) => turns > MOST_TURNS)).toEqual([]);
    expect(touched.length > 0).toBe(kills);
    const seconds = (Date.now() - began) / 1_000;
    const sorted = (some: readonly Break[]) => some.map(({ ms }) => ms).toSorted((a, b) => b - a);
    const figures = (some: readonly Break[]) => ({
      breaks: some.length,
      longest: sorted(some)[0],
      middle: sorted(some)[Math.floor(some.length / 2)],
      turns: Math.max(0, ...some.map(({ turns }) => turns)),
    });
    console.info({
      name,
      seconds,
      perSecond: JOBS / seconds,
      kills: crew.killedAt.length,
      runs: runs.length,
      touched: figures(touched),
      others: figures(others),
    });
  },
  450_000,
);

test('1,000 jobs with five minutes until their next try do not hold up a queue of concurrency 2', async () => {
  expect(await crew.stack.http.call('PUT', '/queues/default', { concurrency: 2 })).toMatchObject({
    status: 200,
  });
  const options = { retry: { attempts: 2, delay: '5m', backoff: 'fixed' as const } };
  await crew.client.enqueueMany(
    fails,
    Array.from({ length: 1_000 }, (_, index) => ({
      input: { file: crew.ledger.file, name: `fails-${index}` },
      options,
    })),
  );
  await waitUntil('all have failed once', async () => (await crew.finished('fails-')) === 1_000, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  const began = Date.now();
  await crew.client.enqueue(hold, { file: crew.ledger.file, name: 'after', ms: 1 });
  await waitUntil('the next one has run', async () => (await crew.finished('after')) === 1);
  expect(Date.now() - began).toBeLessThan(3_000);
  expect(mostAtOnce((await crew.runs()).filter(({ name }) => name.startsWith('fails-')))).toBeLessThanOrEqual(
    2,
  );
}, 180_000);
