import type { JobToPublish, Publisher, PublishResult } from '@jetbeat/jetstream';
import { Histogram, type Readings } from '@jetbeat/runtime';
import type { Passed } from './pass.ts';

/** What a scheduler counts of its work. */
export interface Measures {
  /** Runs a pass and counts it. */
  pass(run: () => Promise<Passed>): Promise<Passed>;
  /** Counts how late these jobs are in JetStream. */
  published(jobs: readonly JobToPublish[], results: readonly PublishResult[]): void;
  /** What `/metrics` says of it. */
  readings(publisher: Pick<Publisher, 'waiting'>): Readings;
}

/** Makes the counts, all zero. @param params.clock Unix milliseconds */
export function createMeasures({ clock }: { clock: () => number }): Measures {
  const passes = { ok: 0, failed: 0 };
  const states = { due: 0, dispatched: 0, buffered: 0, skipped: 0, missed: 0 };
  const passTimes = new Histogram();
  const lateness = new Histogram();
  let waiting = 0;
  return {
    async pass(run) {
      const begun = performance.now();
      try {
        const passed = await run();
        passes.ok += 1;
        for (const state of ['due', 'dispatched', 'buffered', 'skipped', 'missed'] as const)
          states[state] += passed[state];
        waiting = passed.waiting;
        return passed;
      } catch (error) {
        passes.failed += 1;
        throw error;
      } finally {
        passTimes.record((performance.now() - begun) / 1_000);
      }
    },
    published(jobs, results) {
      const now = clock();
      for (const [index, { envelope }] of jobs.entries())
        if (results[index]?.ok) lateness.record((now - envelope.runAt) / 1_000);
    },
    readings: (publisher) => ({
      jetbeat_scheduler_passes_total: Object.entries(passes).map(([result, value]) => ({
        labels: { result },
        value,
      })),
      jetbeat_scheduler_pass_seconds: passTimes,
      jetbeat_scheduler_occurrences_total: Object.entries(states).map(([state, value]) => ({
        labels: { state },
        value,
      })),
      jetbeat_scheduler_lateness_seconds: lateness,
      jetbeat_scheduler_occurrences_waiting: waiting,
      jetbeat_scheduler_jobs_unpublished: publisher.waiting,
    }),
  };
}
