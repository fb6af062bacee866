import { createSchedules, type Database, look, openDatabase, pauseSchedule, wakeAt } from '@jetbeat/postgres';
import { expect } from 'vitest';
import { openHistory } from '../bench/history.ts';
import { createCutter } from './cut-connection.ts';
import { createTestDatabase } from './database.ts';
import { type DayReplica, KILL_POINTS, type KillPoint, kill, startDayReplica } from './day-replica.ts';
import { type Outcome, oracleOutcomes } from './schedule-oracle.ts';
import { FROM, type Subject, subjects } from './schedule-subjects.ts';

const HOUR = 3_600_000;
const SCHEDULERS = 5;

/**
 * Lets five schedulers work through the hours of a day, on a clock that jumps from one moment at which something happens to the
 * next, killing one after the other in the middle of their transactions, and compares what became of every nominal time with
 * the oracle.
 */
export async function scheduleDay(params: { schedules: number; hours: number; killEvery: number }): Promise<{
  times: number;
  /** Passes that a kill has broken off, in all and at each point. */
  kills: number;
  points: Record<string, number>;
  outcomes: Record<string, number>;
}> {
  const database = await createTestDatabase();
  const db = await openDatabase({ url: database.url, applicationName: 'day' });
  const history = openHistory(database.url);
  const to = FROM + params.hours * HOUR;
  const away = { from: FROM + 1.6 * HOUR + 1, to: FROM + 2.25 * HOUR + 20_000 };
  const all = subjects(params.schedules);
  let now = FROM;
  const cutter = createCutter(database.url);
  const killed: KillPoint[] = [];
  let isTime = false;
  const replica = (index: number) =>
    startDayReplica({ url: database.url, id: `day-${index}`, clock: () => now });
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
      isTime ||= step % params.killEvery === 0;
      // At a moment at which it has nothing to do nobody is killed, but at the next one.
      const point = KILL_POINTS[killed.length % KILL_POINTS.length] ?? 'commit';
      const turn = killed.length % SCHEDULERS;
      const victim = isTime ? replicas[turn] : undefined;
      if (victim && (await kill(victim, point, cutter))) {
        isTime = false;
        await victim.stop();
        killed.push(point);
        replicas[turn] = replica(SCHEDULERS + killed.length);
      }
      await untilIdle(replicas, history);
      now = await nextMoment(db, history, { now, pause: pauses[0]?.since });
      if (now > away.from && now < away.to) now = away.to;
      if (now > to) break;
    }
    const outcomes = await compare(history, all, { from: FROM, to, away });
    expect(new Set(replicas.flatMap(({ published }) => published)).size).toBe(
      replicas.reduce((sum, { published }) => sum + published.length, 0),
    );
    return {
      times: outcomes.length,
      kills: killed.length,
      points: countOf(killed),
      outcomes: countOf(outcomes),
    };
  } finally {
    await cutter.close();
    await Promise.all(replicas.map((one) => one.stop()));
    await history.close();
    await db.close();
    await database.drop();
  }
}

function countOf(found: readonly string[]): Record<string, number> {
  const groups = [...Map.groupBy(found, (one) => one)];
  return Object.fromEntries(groups.map(([one, all]) => [one, all.length]));
}

type History = ReturnType<typeof openHistory>;

/** A worker and a recorder, as far as the schedulers see them. */
async function endJobs(history: History, now: number): Promise<void> {
  await history.rows(
    `update job set state = 'succeeded', finished_at = created_at + (input->>'ms')::float8 * interval '1 ms'
     where finished_at is null and created_at + (input->>'ms')::float8 * interval '1 ms' <= ?`,
    [new Date(now)],
  );
}

/** All schedulers pass at once, then one until it finds nothing to do. */
async function untilIdle(replicas: readonly DayReplica[], history: History): Promise<void> {
  // A pass that fails, as on a busy machine, is repeated.
  const tryPass = (one: DayReplica) => one.pass().catch(() => undefined);
  await Promise.all(replicas.map(tryPass));
  const [first] = replicas;
  for (let round = 0; round < 100 && first; round++) {
    // Workers do at once what cancel-previous asks of them.
    const cancelled = await history.rows<{ id: string }>(
      `update job set state = 'cancelled', finished_at = cancel_requested_at
       where finished_at is null and cancel_requested_at is not null returning id`,
    );
    const done = await tryPass(first);
    if (done === undefined) continue;
    const { occurrences, dispatched, skipped, buffered, waiting } = done;
    if (cancelled.length + occurrences + dispatched + skipped + buffered + waiting === 0) return;
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
  const moments = [wakeAt(await look(db)), ends?.at ?? undefined, pause];
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
