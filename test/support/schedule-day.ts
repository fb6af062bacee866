import { tmpdir } from 'node:os';
import { readSettings } from '@jetbeat/core';
import {
  createSchedules,
  type Database,
  dispatchPass,
  materializePass,
  type NewJob,
  nextWake,
  openDatabase,
  pauseSchedule,
} from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { createPass } from '@jetbeat/scheduler';
import { expect } from 'vitest';
import { openHistory } from '../bench/history.ts';
import { createTestDatabase } from './database.ts';
import { type Outcome, oracleOutcomes } from './schedule-oracle.ts';
import { FROM, type Subject, subjects } from './schedule-subjects.ts';

const HOUR = 3_600_000;
const SCHEDULERS = 5;

/** One scheduler, as far as it plans and dispatches; it can be killed at any moment. */
function startReplica(params: { url: string; id: string; clock: () => number }) {
  const { url, id, clock } = params;
  const config = loadConfig({ env: {}, app: 'scheduler', cwd: tmpdir() });
  const published: string[] = [];
  const opened = openDatabase({ url, applicationName: id, poolSize: 1 });
  const log = createLog({ app: 'scheduler', level: 'fatal' });
  const made = opened.then((db) =>
    createPass({
      ...{ db, id, clock, log, hold: () => undefined },
      ports: { databaseTime: async () => clock(), materializePass, dispatchPass },
      eventsMarks: async () => ({ lastSeq: 0, recordedUpTo: 0 }),
      publisher: {
        add: (jobs: readonly NewJob[]) => void published.push(...jobs.map(({ envelope }) => envelope.id)),
      },
      cancel: () => {},
      settings: readSettings(config.settings, config.file),
    }),
  );
  return {
    ...{ id, published },
    pass: async () => (await made)(),
    stop: async () => (await opened).close(),
  };
}

/**
 * Lets five schedulers work through the hours of a day, on a clock that jumps from one moment at which something happens to the
 * next, killing one after the other in the middle of their transactions, and compares what became of every nominal time with
 * the oracle.
 */
export async function scheduleDay(params: { schedules: number; hours: number; killEvery: number }): Promise<{
  times: number;
  /** Passes that a kill has broken off. */
  kills: number;
  outcomes: Record<string, number>;
}> {
  const database = await createTestDatabase();
  const db = await openDatabase({ url: database.url, applicationName: 'day' });
  const history = openHistory(database.url);
  const to = FROM + params.hours * HOUR;
  const away = { from: FROM + 1.6 * HOUR + 1, to: FROM + 2.25 * HOUR + 20_000 };
  const all = subjects(params.schedules);
  let now = FROM;
  let tried = 0;
  let kills = 0;
  const replica = (index: number) =>
    startReplica({ url: database.url, id: `day-${index}`, clock: () => now });
  const replicas = Array.from({ length: SCHEDULERS }, (_, index) => replica(index));
  try {
    await createSchedules(db, {
      schedules: all.map(({ id, definition }) => ({ id, definition, nextAt: FROM })),
      now,
    });
    const pauses = all
      .flatMap(({ name, oracle: { pause } }) => (pause ? [{ name, ...pause }] : []))
      .sort((a, b) => a.since - b.since);
    for (let step = 0; ; step++) {
      await endJobs(history, now);
      while (pauses[0] !== undefined && pauses[0].since <= now) {
        const { name, until } = pauses[0];
        await pauseSchedule(db, { name, by: 'test', until, now });
        pauses.shift();
      }
      const killed = step % params.killEvery === 0 ? replicas[tried % SCHEDULERS] : undefined;
      const { broken } = await untilIdle(replicas, killed, history);
      if (killed) {
        await killed.stop();
        replicas[tried % SCHEDULERS] = replica(SCHEDULERS + tried);
        tried += 1;
        kills += Number(broken);
      }
      now = await nextMoment(db, history, { now, pause: pauses[0]?.since });
      if (now > away.from && now < away.to) now = away.to;
      if (now > to) break;
    }
    const outcomes = await compare(history, all, { from: FROM, to, away });
    expect(new Set(replicas.flatMap(({ published }) => published)).size).toBe(
      replicas.reduce((sum, { published }) => sum + published.length, 0),
    );
    const counted = Object.groupBy(outcomes, (outcome) => outcome);
    return {
      times: outcomes.length,
      kills,
      outcomes: Object.fromEntries(
        Object.entries(counted).map(([outcome, found]) => [outcome, found?.length ?? 0]),
      ),
    };
  } finally {
    await Promise.all(replicas.map((one) => one.stop()));
    await history.close();
    await db.close();
    await database.drop();
  }
}

type History = ReturnType<typeof openHistory>;
type Replica = ReturnType<typeof startReplica>;

/** A worker and a recorder, as far as the schedulers see them. */
async function endJobs(history: History, now: number): Promise<void> {
  await history.rows(
    `update job set state = 'succeeded', finished_at = created_at + (input->>'ms')::float8 * interval '1 ms'
     where finished_at is null and created_at + (input->>'ms')::float8 * interval '1 ms' <= ?`,
    [new Date(now)],
  );
}

/** All schedulers pass until none finds anything to do; the one that is killed loses its connection in the middle of its pass. */
async function untilIdle(
  replicas: readonly Replica[],
  killed: Replica | undefined,
  history: History,
): Promise<{ broken: boolean }> {
  // A pass that fails, as on a busy machine, is repeated.
  const tryPass = (one: Replica) => one.pass().catch(() => undefined);
  const passing = replicas.map(tryPass);
  if (killed) {
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = ?`;
    await history.rows(cut, [killed.id]);
  }
  const passed = await Promise.all(passing);
  const broken = passed.some((one, index) => one === undefined && replicas[index] === killed);
  const [first] = replicas.filter((one) => one !== killed);
  for (let round = 0; round < 100 && first; round++) {
    // Workers do at once what cancel-previous asks of them.
    const cancelled = await history.rows<{ id: string }>(
      `update job set state = 'cancelled', finished_at = cancel_requested_at
       where finished_at is null and cancel_requested_at is not null returning id`,
    );
    const done = await tryPass(first);
    if (done === undefined) continue;
    const { occurrences, dispatched, skipped, buffered, waiting } = done;
    if (cancelled.length + occurrences + dispatched + skipped + buffered + waiting === 0) return { broken };
  }
  throw new Error('the schedulers do not come to an end');
}

/** When something happens next. */
async function nextMoment(
  db: Database,
  history: History,
  { now, pause }: { now: number; pause: number | undefined },
): Promise<number> {
  const [ends] = await history.rows<{ at: number | null }>(
    `select min(extract(epoch from created_at) * 1000 + (input->>'ms')::float8)::float8 as at from job
     where finished_at is null and schedule_id in (select schedule_id from occurrence where state = 'buffered')`,
  );
  const moments = [(await nextWake(db)).at, ends?.at ?? undefined, pause];
  const ahead = moments.filter((time) => time !== undefined).map((time) => Math.max(time, now + 1));
  return Math.min(...ahead, Number.MAX_SAFE_INTEGER);
}

interface LedgerRow {
  readonly id: string;
  readonly time: number;
  readonly to: number | null;
  readonly count: number;
  readonly state: string;
  readonly code: string | null;
}

/** Every nominal time has exactly one row, and the right outcome. */
async function compare(
  history: History,
  all: readonly Subject[],
  span: Parameters<typeof oracleOutcomes>[1],
): Promise<Outcome[]> {
  const rows = await history.rows<LedgerRow>(
    `select schedule_id as id, (extract(epoch from nominal_time) * 1000)::float8 as time,
       (extract(epoch from to_time) * 1000)::float8 as "to", count, state, reason->>'code' as code
     from occurrence order by nominal_time`,
  );
  const found = Map.groupBy(rows, ({ id }) => id);
  const outcomes: Outcome[] = [];
  for (const { id, name, oracle, definition } of all) {
    const wanted = oracleOutcomes(oracle, span);
    const times = [...wanted.keys()].sort((a, b) => a - b);
    const got: [string, string][] = [];
    for (const row of found.get(id) ?? []) {
      const within = times.filter((time) => time >= row.time && time <= (row.to ?? row.time));
      expect([name, row, within.length]).toEqual([name, row, row.count]);
      got.push(...within.map((time): [string, string] => [textOf(time), outcomeOf(row)]));
    }
    const expected = times.map((time) => [textOf(time), wanted.get(time)]);
    expect({ name, definition, rows: got }).toEqual({ name, definition, rows: expected });
    outcomes.push(...wanted.values());
  }
  const jobs = await history.rows<{ lost: number }>(
    `select count(*)::int as lost from job j where not exists (select from occurrence o where o.job_id = j.id and o.state = 'dispatched')`,
  );
  expect(jobs).toEqual([{ lost: 0 }]);
  return outcomes;
}

function outcomeOf({ state, code }: LedgerRow): string {
  return state === 'skipped' ? (code ?? '') : state;
}

function textOf(time: number): string {
  return new Date(time).toISOString().slice(11, 16);
}
