import { counter, gauge, histogram } from '../instrument.ts';

/** Of a recorder. */
export const RECORDER = {
  jetbeat_recorder_events_total: counter('{event}', [], 'Events that are in PostgreSQL.'),
  jetbeat_recorder_batches_total: counter('{batch}', [], 'Messages of EVENTS that are in PostgreSQL.'),
  jetbeat_recorder_skipped_total: counter(
    '{item}',
    ['what'],
    'What was no event, passed by: batches or events.',
  ),
  jetbeat_recorder_late_total: counter('{change}', [], 'Changes that came too late to change anything.'),
  jetbeat_recorder_transaction_seconds: histogram('s', [], 'How long writing one pull of batches took.'),
  jetbeat_recorder_failures_total: counter(
    '{failure}',
    [],
    'Pulls that PostgreSQL did not take at the first try.',
  ),
  jetbeat_recorder_lag_batches: gauge('{batch}', [], 'Batches of EVENTS that no recorder has recorded yet.'),
  jetbeat_recorder_lag_seconds: gauge(
    's',
    [],
    'Age of the oldest batch that no recorder has recorded yet; 0: none.',
  ),
  jetbeat_recorder_doubts_total: counter(
    '{item}',
    ['result'],
    'Questions of workers answered, and askings left unanswered.',
  ),
  jetbeat_recorder_republished_total: counter(
    '{job}',
    [],
    'Jobs that were missing in JetStream, published again.',
  ),
  jetbeat_recorder_reconciled_total: counter(
    '{job}',
    [],
    'Open jobs that were looked at because they were overdue.',
  ),
  jetbeat_recorder_released_total: counter('{job}', [], 'Parked jobs put back on their queues.'),
  jetbeat_recorder_expired_total: counter('{job}', [], 'Jobs ended because no worker began them in time.'),
  jetbeat_recorder_followed_total: counter(
    '{job}',
    [],
    'Jobs made because another one had ended: notices, and callbacks that no worker had made.',
  ),
  jetbeat_recorder_unmade_total: counter(
    '{job}',
    [],
    'Tries to make such a job that failed; each is tried again later, see the log of the recorder.',
  ),
  jetbeat_recorder_trimmed_total: counter('{batch}', [], 'Recorded batches removed from EVENTS.'),
};
