import { counter, gauge } from '../instrument.ts';

/** Of every process. `process_` and `nodejs_` are the names that Prometheus' own clients use, so that common dashboards fit. */
export const PROCESS = {
  process_cpu_seconds_total: counter('s', [], 'CPU time of the process, user and system.'),
  process_resident_memory_bytes: gauge('By', [], 'Resident memory of the process.'),
  process_start_time_seconds: gauge('s', [], 'When the process started, Unix time.'),
  process_open_fds: gauge('{file}', [], 'Open file descriptors; absent where the system does not tell.'),
  nodejs_heap_size_used_bytes: gauge('By', [], 'Heap in use.'),
  nodejs_heap_size_total_bytes: gauge('By', [], 'Heap set apart.'),
  nodejs_external_memory_bytes: gauge('By', [], 'Memory outside the heap that objects of the heap hold.'),
  nodejs_active_resources: gauge('{resource}', ['type'], 'What keeps the event loop alive, by type.'),
  nodejs_eventloop_lag_p50_seconds: gauge(
    's',
    [],
    'Delay of the event loop, median of the last 5 s or longer.',
  ),
  nodejs_eventloop_lag_p99_seconds: gauge('s', [], 'Delay of the event loop, 99th percentile likewise.'),
  nodejs_eventloop_lag_max_seconds: gauge('s', [], 'Delay of the event loop, maximum likewise.'),
  nodejs_gc_seconds_total: counter('s', ['kind'], 'Time in garbage collections, by kind.'),
  nodejs_gc_runs_total: counter('{run}', ['kind'], 'Garbage collections, by kind.'),
  jetbeat_build_info: gauge('1', ['app', 'version', 'node'], 'Always 1; what runs here.'),
  jetbeat_scrape_failures_total: counter(
    '{failure}',
    [],
    'Parts of this page that could not be read in time.',
  ),
  jetbeat_storage_used_bytes: gauge(
    'By',
    ['place'],
    'JetStream files (store) and what of EVENTS is not in PostgreSQL yet (events); on recorder and API.',
  ),
  jetbeat_storage_limit_bytes: gauge('By', ['place'], 'Room of these places; absent where nobody knows it.'),
  jetbeat_storage_refusing: gauge('1', [], '1 while new jobs are refused because a place is too full.'),
  jetbeat_nats_connected: gauge('1', [], '1 while there is a connection to NATS.'),
  jetbeat_nats_reconnects_total: counter('{reconnect}', [], 'Connections to NATS after the first.'),
};
