import { counter, gauge, histogram } from '../instrument.ts';

/** Of a scheduler. */
export const SCHEDULER = {
  jetbeat_scheduler_passes_total: counter('{pass}', ['result'], 'Looks at what is due: ok or failed.'),
  jetbeat_scheduler_pass_seconds: histogram('s', [], 'How long a pass took.'),
  jetbeat_scheduler_occurrences_total: counter(
    '{occurrence}',
    ['state'],
    'Occurrences that came due here, and what became of them: dispatched, buffered, skipped or missed.',
  ),
  jetbeat_scheduler_lateness_seconds: histogram(
    's',
    [],
    'From the time of an occurrence to when JetStream has its job.',
  ),
  jetbeat_scheduler_occurrences_waiting: gauge(
    '{occurrence}',
    [],
    'Occurrences that wait until history has caught up, as of the last pass.',
  ),
  jetbeat_scheduler_jobs_unpublished: gauge('{job}', [], 'Committed jobs that wait for NATS here.'),
};
