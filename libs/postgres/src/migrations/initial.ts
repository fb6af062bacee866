import { Migration } from '@mikro-orm/migrations';
import { historyTables } from './initial-history.ts';

/** The first schema. */
export class Initial extends Migration {
  override name = '0001-initial';

  override up(): void {
    for (const statement of [...planTables, ...fleetTables, ...historyTables]) this.addSql(statement);
  }
}

/** What should happen, and when. */
const planTables = [
  `create table schedule (
    id uuid primary key,
    name text not null unique,
    definition jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    cursor_at timestamptz not null,
    next_at timestamptz,
    paused_at timestamptz,
    paused_by text,
    pause_note text
  )`,
  'create index schedule_next on schedule (next_at) where paused_at is null and next_at is not null',
  // No foreign key: what became of the occurrences of a deleted schedule stays until retention takes it.
  `create table occurrence (
    schedule_id uuid not null,
    nominal_time timestamptz not null,
    origin text not null,
    state text not null check (state in ('due', 'dispatched', 'skipped', 'missed')),
    reason jsonb,
    count integer not null default 1,
    to_time timestamptz,
    job_id uuid,
    lateness_ms bigint,
    wait_events_seq bigint,
    wait_until timestamptz,
    primary key (schedule_id, nominal_time, origin)
  )`,
  `create index occurrence_due on occurrence (nominal_time) where state = 'due'`,
];

/** Who is there, and what is known of them. */
const fleetTables = [
  `create table worker (
    id text primary key,
    state text not null check (state in ('running', 'stopped')),
    host text not null,
    pid integer not null,
    version text not null,
    queues text[] not null,
    concurrency integer not null,
    held integer not null,
    started_at timestamptz not null,
    said_at timestamptz not null,
    heard_at timestamptz not null,
    tasks text[] not null
  )`,
  'create index worker_heard on worker (heard_at)',
  `create table task (
    name text primary key,
    input_schema jsonb,
    queue text,
    priority text,
    policy jsonb,
    seen_at timestamptz not null
  )`,
  `create table api_key (
    id text primary key,
    hash text not null,
    role text not null check (role in ('viewer', 'operator', 'admin')),
    created_at timestamptz not null
  )`,
];
