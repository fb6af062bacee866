import { getJob, type OccurrenceRecord } from '@jetbeat/postgres';
import type { Scheduler } from '@jetbeat/scheduler';
import { afterEach, beforeEach } from 'vitest';
import { createTestDatabase } from './database.ts';
import { createRecorderBench, type RecorderBench, settledEvent } from './recorder.ts';
import { occurrencesOf, startScheduler } from './scheduler.ts';
import { waitUntil } from './wait-until.ts';

/** A database and a namespace of a test's own, with schedulers on them. */
export interface SchedulerBench {
  readonly bench: RecorderBench;
  /** Starts one more scheduler. */
  schedule(options?: Partial<Parameters<typeof startScheduler>[0]>): Promise<Scheduler>;
  /** Waits until what became of a schedule's times is as wanted. */
  rows(id: string, what: string, wanted: (found: OccurrenceRecord[]) => boolean): Promise<OccurrenceRecord[]>;
  /** A worker tells that the job of an occurrence has ended. */
  end(occurrence: OccurrenceRecord | undefined): Promise<void>;
  stop(): Promise<void>;
}

/** Whether an occurrence is in this state. */
export const is = (state: OccurrenceRecord['state']) => (one: OccurrenceRecord) => one.state === state;

/** Makes the bench. */
async function createSchedulerBench(): Promise<SchedulerBench> {
  const database = await createTestDatabase();
  const bench = await createRecorderBench({ database: database.url });
  const schedulers: Scheduler[] = [];
  return {
    bench,
    async schedule(options = {}) {
      const scheduler = await startScheduler({
        namespace: bench.namespace,
        databaseUrl: database.url,
        ...options,
      });
      schedulers.push(scheduler);
      await scheduler.ready();
      return scheduler;
    },
    rows: (id, what, wanted) =>
      waitUntil(what, async () => {
        const found = await occurrencesOf(bench.db, id);
        return wanted(found) && found;
      }),
    async end(occurrence) {
      const job = await getJob(bench.db, occurrence?.jobId ?? '');
      if (!job) throw new Error('the occurrence has no job');
      await bench.events.publish(settledEvent({ ...job, v: 1, input: job.input }));
    },
    async stop() {
      await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
      await bench.stop();
      await database.drop();
    },
  };
}

/** One for each test of a file, and what acts on that of the test that runs. */
export function benchOfEachTest(): SchedulerBench {
  let now: SchedulerBench | undefined;
  const current = (): SchedulerBench => {
    if (!now) throw new Error('no test runs');
    return now;
  };
  beforeEach(async () => {
    now = await createSchedulerBench();
  });
  const stop = () => current().stop();
  afterEach(stop);
  return {
    get bench() {
      return current().bench;
    },
    schedule: (options) => current().schedule(options),
    rows: (id, what, wanted) => current().rows(id, what, wanted),
    end: (occurrence) => current().end(occurrence),
    stop,
  };
}
