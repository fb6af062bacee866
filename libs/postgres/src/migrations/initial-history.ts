/**
 * History, and what the recorder keeps beside it. job and attempt are partitioned by day on the time in the job's
 * UUIDv7; the default partition takes what no day was made for.
 */
export const historyTables = [
  `create table job (
    id uuid not null,
    task text not null,
    queue text not null,
    priority text not null,
    state text not null,
    "position" bigint not null,
    attempt integer not null,
    run integer not null,
    parks integer not null,
    losses integer not null default 0,
    created_at timestamptz not null,
    run_at timestamptz not null,
    due_at timestamptz not null,
    check_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    stream_seq bigint,
    published boolean not null,
    reconcile_seq bigint,
    reconcile_events_seq bigint,
    worker_id text,
    trace_id text,
    traceparent text,
    reason jsonb,
    error jsonb,
    result jsonb,
    next jsonb,
    input_known boolean not null,
    input jsonb,
    meta jsonb,
    policy jsonb,
    schedule_id uuid,
    schedule_name text,
    nominal_time timestamptz,
    origin text not null,
    total_limit_at timestamptz,
    parent uuid,
    cancel_requested_at timestamptz,
    cancel_reason text,
    primary key (id)
  ) partition by range (id)`,
  'create table job_default partition of job default',
  'create index job_state on job (state, id)',
  'create index job_task on job (task, id)',
  'create index job_queue on job (queue, id)',
  'create index job_schedule on job (schedule_name, id) where schedule_name is not null',
  // A job is open as long as it has no time of its end.
  'create index job_open_of_schedule on job (schedule_id) where schedule_id is not null and finished_at is null',
  `create index job_check on job (check_at) where finished_at is null and state <> 'parked' and state <> 'blocked'`,
  'create index job_unpublished on job (created_at) where not published and finished_at is null',
  `create index job_parked on job (due_at) where state = 'parked'`,
  `create table attempt (
    job_id uuid not null,
    run_id uuid not null,
    number integer not null,
    run integer not null,
    worker_id text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    outcome text,
    error jsonb,
    primary key (job_id, run_id)
  ) partition by range (job_id)`,
  'create table attempt_default partition of attempt default',
  // To whom a job was granted of which history knows nothing but the doubt.
  `create table doubt_grant (
    job_id uuid primary key,
    worker_id text not null,
    attempt integer not null,
    run integer not null,
    parks integer not null,
    losses integer not null,
    granted_at timestamptz not null
  )`,
  'create index doubt_grant_age on doubt_grant (granted_at)',
  // How far something has come: 'events', or 'settled:<queue>'.
  `create table mark (
    name text primary key,
    seq bigint not null
  )`,
  `create table stream_seen (
    stream text primary key,
    created_at timestamptz not null,
    last_seq bigint not null,
    noted_at timestamptz not null
  )`,
];
