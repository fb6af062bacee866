import { counter, gauge, histogram } from '../instrument.ts';

/** Of a worker. */
export const WORKER = {
  jetbeat_worker_jobs_taken_total: counter(
    '{job}',
    ['queue'],
    'Messages taken from the server, repeats included.',
  ),
  jetbeat_worker_jobs_redelivered_total: counter(
    '{job}',
    ['queue'],
    'Of these, messages that the server had handed out before.',
  ),
  jetbeat_worker_attempts_started_total: counter('{attempt}', ['queue', 'task'], 'Attempts that began here.'),
  jetbeat_worker_attempts_total: counter(
    '{attempt}',
    ['queue', 'task', 'outcome'],
    'Attempts whose outcome is stored, by outcome.',
  ),
  jetbeat_worker_run_seconds: histogram('s', ['queue', 'task'], 'How long handlers ran.'),
  jetbeat_worker_wait_seconds: histogram(
    's',
    ['queue'],
    'From when a job could run first to the start of its handler, by two clocks.',
  ),
  jetbeat_worker_jobs_held: gauge('{job}', [], 'Jobs taken and not yet settled, running ones included.'),
  jetbeat_worker_jobs_running: gauge('{job}', [], 'Jobs whose handler runs now.'),
  jetbeat_worker_slots: gauge('{slot}', [], 'Handlers that may run at once.'),
  jetbeat_worker_handlers_abandoned: gauge(
    '{handler}',
    [],
    'Handlers that run on past their hard limit; as many as slots, or one in a slot of a limit, make the worker not ready.',
  ),
  jetbeat_worker_children: gauge(
    '{child}',
    ['kind'],
    'Threads and child processes for handlers, idle ones too.',
  ),
  jetbeat_worker_pulls_outstanding: gauge('{pull}', ['queue'], 'Requests for jobs that the server has.'),
  jetbeat_worker_events_queued: gauge('{event}', [], 'Events that are not stored yet.'),
  jetbeat_worker_doubts_total: counter(
    '{question}',
    ['answer'],
    'Jobs in doubt, by the answer of the recorder; "none": no answer in time.',
  ),
  jetbeat_worker_jobs_parked_total: counter('{job}', ['what'], 'Jobs put aside, by what they wait for.'),
  jetbeat_worker_jobs_given_back_total: counter(
    '{job}',
    [],
    'Jobs given back by a stop, or since no child could be started.',
  ),
  jetbeat_worker_jobs_malformed_total: counter(
    '{message}',
    [],
    'Messages that were no job: dead letters now.',
  ),
};
