import { counter, gauge, histogram } from '../instrument.ts';

/** Of the API: its own requests, and its view of the fleet. */
export const API = {
  jetbeat_api_requests_total: counter(
    '{request}',
    ['route', 'method', 'status'],
    'Requests answered, by the template of the route and the class of the status; "gone": nobody read the answer.',
  ),
  jetbeat_api_request_seconds: histogram(
    's',
    ['route', 'method'],
    'From a request to the end of its answer.',
  ),
  jetbeat_api_requests_in_flight: gauge('{request}', [], 'Requests that are not answered yet.'),
  jetbeat_api_refusals_total: counter(
    '{refusal}',
    ['reason'],
    'Requests refused for what says something about callers or this process, by the code of the answer, or what there was too much of.',
  ),
  jetbeat_api_connections: gauge('{connection}', [], 'Connections that are open here.'),
  jetbeat_api_answers_waiting_bytes: gauge(
    'By',
    [],
    'What waits here of answers that are not read yet, but for streams.',
  ),
  jetbeat_api_bodies_bytes: gauge(
    'By',
    [],
    'What the bodies of requests that are open have here of the memory that they may have.',
  ),
  jetbeat_api_jobs_accepted_total: counter('{job}', ['queue'], 'Jobs accepted here, by queue.'),
  jetbeat_api_sign_ins_total: counter(
    '{sign-in}',
    ['by', 'outcome'],
    'Times that somebody has signed in with a browser ("begun"), or could not ("refused"), by key, oidc or link.',
  ),
  jetbeat_api_jobs_unpublished: gauge('{job}', [], 'Committed jobs that wait for NATS here.'),
  jetbeat_api_streams: gauge(
    '{stream}',
    [],
    'Streams of events that are open here; they are no requests in flight.',
  ),
  jetbeat_api_stream_waiting_bytes: gauge('By', [], 'What waits here for clients that read slowly.'),
  jetbeat_api_stream_gaps_total: counter(
    '{gap}',
    [],
    'Times that a stream could not tell all that happened.',
  ),
  jetbeat_fleet_up: gauge('1', ['source'], '1 when this server answered for the view below.'),
  jetbeat_queue_pending_jobs: gauge('{job}', ['queue', 'priority'], 'Jobs that wait for a worker.'),
  jetbeat_queue_in_flight_jobs: gauge('{job}', ['queue', 'priority'], 'Jobs that workers hold.'),
  jetbeat_queue_redelivered_jobs: gauge(
    '{job}',
    ['queue', 'priority'],
    'Of these, jobs that were handed out more than once.',
  ),
  jetbeat_queue_waiting_pulls: gauge(
    '{pull}',
    ['queue', 'priority'],
    'Requests of workers for jobs that are not there.',
  ),
  jetbeat_queue_oldest_age_seconds: gauge(
    's',
    ['queue', 'priority'],
    'How long the oldest waiting job has been in its queue; 0: none waits.',
  ),
  jetbeat_unserved_jobs: gauge(
    '{job}',
    [],
    'Jobs that wait in queues that no worker has ever served. Absent above 5,000 names.',
  ),
  jetbeat_timer_jobs: gauge(
    '{job}',
    [],
    'Jobs whose time has not come: delays and retries. Absent above 100,000.',
  ),
  jetbeat_parked_jobs: gauge('{job}', [], 'Jobs put aside until what holds them is free. Absent likewise.'),
  jetbeat_dead_letters: gauge('{job}', [], 'Dead letters that are kept.'),
  jetbeat_events_unrecorded_batches: gauge(
    '{batch}',
    [],
    'Batches of EVENTS that are not in PostgreSQL yet.',
  ),
  jetbeat_events_unrecorded_age_seconds: gauge('s', [], 'Age of the oldest of these; 0: none.'),
  jetbeat_stream_messages: gauge('{message}', ['stream'], 'Messages in a stream.'),
  jetbeat_stream_bytes: gauge('By', ['stream'], 'Size of a stream.'),
  jetbeat_workers: gauge(
    '{worker}',
    ['state'],
    'Workers heard of within a day: running, silent (running once, not heard of lately) or stopped.',
  ),
  jetbeat_open_jobs: gauge(
    '{job}',
    ['state'],
    'Jobs that have not ended, by state; counted up to 10,000 each.',
  ),
  jetbeat_schedules: gauge('{schedule}', ['state'], 'Schedules: active or paused.'),
};
