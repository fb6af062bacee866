import { randomBytes } from 'node:crypto';
import { type ScheduleSpec, uuidV7 } from '@jetbeat/core';
import {
  createSchedule,
  type Database,
  databaseTime,
  listOccurrences,
  look,
  type OccurrenceRecord,
} from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { type Scheduler, type SchedulerParams, start } from '@jetbeat/scheduler';
import { natsUrl, testTopology } from './nats.ts';

/** Starts a scheduler in this process, on the servers of the run. */
export async function startScheduler(params: {
  namespace: string;
  databaseUrl: string;
  publish?: SchedulerParams['publish'];
  clock?: () => number;
  ports?: SchedulerParams['ports'];
}): Promise<Scheduler> {
  const { namespace, databaseUrl, publish, clock, ports } = params;
  const env = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_DATABASE_URL: databaseUrl,
    JETBEAT_NAMESPACE: namespace,
  };
  return start({
    config: { ...loadConfig({ env, app: 'scheduler' }), healthPort: 0 },
    log: createLog({
      app: 'scheduler',
      level: process.env['JETBEAT_TEST_LOG'] === '1' ? 'debug' : 'fatal',
    }),
    topology: { eventsMaxBytes: testTopology.eventsMaxBytes },
    ...(publish === undefined ? {} : { publish }),
    ...(clock === undefined ? {} : { clock }),
    ...(ports === undefined ? {} : { ports }),
  });
}

/** A clock that is moved by hand, of a scheduler and of its PostgreSQL. */
export interface MovedClock {
  /** By how much it differs from the real one, milliseconds. */
  offset: number;
  readonly params: Pick<SchedulerParams, 'clock' | 'ports'>;
  /** PostgreSQL's time as the scheduler sees it, Unix milliseconds. */
  now(db: Database): Promise<number>;
}

/** Makes such a clock. */
export function movedClock(): MovedClock {
  const clock: MovedClock = {
    offset: 0,
    now: async (db) => (await databaseTime(db)) + clock.offset,
    params: {
      clock: () => Date.now() + clock.offset,
      ports: {
        async look(db) {
          const seen = await look(db);
          return { ...seen, now: seen.now + clock.offset };
        },
      },
    },
  };
  return clock;
}

/** Makes a schedule of `system.echo` as the API would, created `agoMs` ago. */
export async function makeSchedule(
  db: Database,
  spec: Pick<ScheduleSpec, 'when'> & Partial<ScheduleSpec>,
  { now, agoMs = 0 }: { now: number; agoMs?: number },
): Promise<{ id: string; name: string; createdAt: number }> {
  const createdAt = now - agoMs;
  const name = spec.name ?? `schedule-${randomBytes(4).toString('hex')}`;
  const definition: ScheduleSpec = {
    name,
    timeZone: 'UTC',
    overlap: 'skip',
    catchUp: 'latest',
    job: { task: 'system.echo', input: { a: 1 } },
    ...spec,
  };
  const id = uuidV7(createdAt, randomBytes(10));
  await createSchedule(db, { id, name, definition, cursor: createdAt, nextAt: createdAt, now: createdAt });
  return { id, name, createdAt };
}

/** What became of a schedule's times, oldest first. */
export async function occurrencesOf(db: Database, scheduleId: string): Promise<OccurrenceRecord[]> {
  return (await listOccurrences(db, { scheduleId, limit: 500 })).toReversed();
}
