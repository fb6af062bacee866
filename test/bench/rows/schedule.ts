import { createHttp } from '../../support/http.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { untilDrained, untilRecorded } from '../steps.ts';

/** What differs between the rows. */
export interface Schedules {
  readonly schedules: number;
  readonly seconds: number;
  /** Their begins lie over the whole period; else all fire at the same instants. */
  readonly spread?: boolean;
}

function scheduleRow(
  params: Schedules & { name: string; what: string; goal?: number; goal50?: number },
): Row {
  const { name, what, goal, goal50 } = params;
  return {
    name,
    what,
    measures: [
      { name: 'p50', unit: 'ms', better: 'less', ...(goal50 === undefined ? {} : { goal: goal50 }) },
      { name: 'p99', unit: 'ms', better: 'less', ...(goal === undefined ? {} : { goal }) },
      { name: 'max', unit: 'ms', better: 'less' },
    ],
    run: (open) => open((stage) => onSchedule(stage, params)),
  };
}

/** Schedules fire for so long before the clock starts, milliseconds. */
const WARM_UP_MS = 5_000;
/** Of every schedule, milliseconds. */
export const PERIOD_MS = 1_000;

/** From a nominal time until the handler begins, by the handler's own clock. */
async function onSchedule(stage: Stage, params: Schedules): Promise<Found> {
  const { values, wanted, dispatched, seconds, processes } = await fireSchedules(stage, params);
  const { p50, p99, max } = latencyFigures(values.map(({ ms }) => ms));
  return {
    seconds,
    figures: { p50, p99, max },
    counts: [
      { what: 'count(*) of occurrence dispatched', wanted, found: dispatched },
      { what: 'count(*) of job succeeded', wanted, found: values.length },
    ],
    processes,
  };
}

/** What schedules have done. */
export interface Fires extends Pick<Found, 'seconds' | 'processes'> {
  /** When the first counted time was, and how many there ought to be. Unix milliseconds. */
  readonly from: number;
  readonly wanted: number;
  readonly dispatched: number;
  /** Of each run, by its nominal time: how late its handler began, milliseconds. */
  readonly values: readonly Late[];
}

/** How late one run was. */
export interface Late {
  /** Its nominal time, Unix milliseconds. */
  readonly time: number;
  readonly ms: number;
}

/** Makes schedules of one second, and lets them fire. */
export async function fireSchedules(stage: Stage, params: Schedules): Promise<Fires> {
  const schedules = stage.quick ? Math.min(params.schedules, 20) : params.schedules;
  const durationMs = stage.quick ? 2_000 : (stage.seconds ?? params.seconds) * 1_000;
  await stage.start('recorder');
  await stage.start('api');
  await stage.start('scheduler');
  await stage.start('worker');
  await createSchedules(stage, { ...params, schedules });
  const from = Math.ceil((Date.now() + (stage.quick ? 1_000 : WARM_UP_MS)) / PERIOD_MS) * PERIOD_MS;
  const to = from + durationMs;
  await untilTime(from - PERIOD_MS / 2);
  const clock = await stage.processes.startClock();
  await untilTime(to + PERIOD_MS / 2);
  const { seconds, processes } = await clock.stop();
  const wanted = (schedules * durationMs) / PERIOD_MS;
  const dispatched = await waitUntil('every occurrence is dispatched', async () => {
    const found = await occurrences(stage, from, to);
    return found >= wanted && found;
  });
  await untilDrained(stage);
  await untilRecorded(stage);
  return { from, wanted, dispatched, values: await latenessOf(stage, from, to), seconds, processes };
}

/** Schedules in one request. */
const BATCH = 500;

async function createSchedules(stage: Stage, { schedules, spread = false }: Schedules): Promise<void> {
  const http = createHttp({ url: stage.apiUrl, apiKey: stage.apiKey });
  const begin = Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS;
  const all = Array.from({ length: schedules }, (_, number) => {
    const from = begin + (spread ? Math.floor((number * PERIOD_MS) / schedules) : 0);
    return {
      name: `bench-${number}`,
      when: { every: `${PERIOD_MS}ms`, from: new Date(from).toISOString() },
      job: { task: 'bench.lateness', input: {} },
      overlap: 'allow',
      catchUp: { all: 100 },
    };
  });
  for (let done = 0; done < all.length; done += BATCH) {
    const answer = await http.call('POST', '/schedules/batch', { schedules: all.slice(done, done + BATCH) });
    if (answer.status !== 201)
      throw new Error(`POST /schedules/batch answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

/** Resolves at a time of the clock, Unix milliseconds. */
async function untilTime(time: number): Promise<void> {
  await waitUntil('the time has come', () => Date.now() >= time, { timeoutMs: time - Date.now() + 1_000 });
}

async function occurrences(stage: Stage, from: number, to: number): Promise<number> {
  const [row] = await stage.history.rows<{ count: string }>(
    `select count(*) from occurrence where state = 'dispatched' and nominal_time >= ? and nominal_time < ?`,
    [new Date(from), new Date(to)],
  );
  return Number(row?.count);
}

function latenessOf(stage: Stage, from: number, to: number): Promise<Late[]> {
  return stage.history.rows<Late>(
    `select (result->>'ms')::float8 as ms, (extract(epoch from nominal_time) * 1000)::float8 as time from job
     where task = 'bench.lateness' and state = 'succeeded' and nominal_time >= ? and nominal_time < ?
     order by nominal_time`,
    [new Date(from), new Date(to)],
  );
}

/** One schedule of one second. */
export const scheduleOne = scheduleRow({
  name: 'schedule-one',
  what: 'lateness of one schedule of 1 s, over 60 s',
  schedules: 1,
  seconds: 60,
  goal: 25,
});

/** A thousand at the same instant, every second. */
export const schedule1000 = scheduleRow({
  name: 'schedule-1000',
  what: 'lateness with 1,000 schedules due at the same instant, every second, over 20 s',
  schedules: 1_000,
  seconds: 20,
});

/** Two thousand a second, at every moment of it. */
export const schedule2000 = scheduleRow({
  name: 'schedule-2000',
  what: 'lateness of 2,000 schedules of 1 s whose begins lie over the second, over 60 s',
  schedules: 2_000,
  seconds: 60,
  spread: true,
  goal: 150,
  goal50: 20,
});
