import { type Readings, storageReadings } from '@jetbeat/runtime';
import type { Tally } from './counts.ts';
import type { Progress } from './progress.ts';
import type { Gauge } from './telling/gauge.ts';

/** What `/metrics` of a recorder says of its work. */
export function readings(params: {
  tally: Tally;
  progress: Pick<Progress, 'lag'>;
  gauge: Pick<Gauge, 'last' | 'gate'>;
}): Readings {
  const { counts, transactions } = params.tally;
  const { batches, ageMs } = params.progress.lag();
  const { last, gate } = params.gauge;
  return {
    jetbeat_recorder_events_total: counts.events,
    jetbeat_recorder_batches_total: counts.batches,
    jetbeat_recorder_skipped_total: [
      { labels: { what: 'batch' }, value: counts.skippedBatches },
      { labels: { what: 'event' }, value: counts.skippedEvents },
    ],
    jetbeat_recorder_late_total: counts.late,
    jetbeat_recorder_transaction_seconds: transactions,
    jetbeat_recorder_failures_total: counts.failures,
    jetbeat_recorder_lag_batches: batches,
    jetbeat_recorder_lag_seconds: ageMs / 1_000,
    jetbeat_recorder_doubts_total: [
      { labels: { result: 'answered' }, value: counts.answered },
      { labels: { result: 'unanswered' }, value: counts.unanswered },
    ],
    jetbeat_recorder_republished_total: counts.republished,
    jetbeat_recorder_reconciled_total: counts.reconciled,
    jetbeat_recorder_released_total: counts.released,
    jetbeat_recorder_expired_total: counts.expired,
    jetbeat_recorder_followed_total: counts.followed,
    jetbeat_recorder_unmade_total: counts.unmade,
    jetbeat_recorder_trimmed_total: counts.trimmed,
    ...(last && storageReadings({ figures: last, refusing: gate === 'refuse' })),
  };
}
