import { Migration } from '@mikro-orm/migrations';

/**
 * What became of every due time; edits, also those in plain SQL; and when no scheduler was there. Its indexes and constraints are built at
 * once, since before it no version was released, and nobody had schedules by the million.
 */
export class Schedules extends Migration {
  override name = '0009-schedules';

  override up(): void {
    for (const statement of [...schedules, ...occurrences, ...schedulers]) this.addSql(statement);
  }
}

const schedules = [
  `alter table schedule
    add column version integer not null default 1,
    add column superseded jsonb,
    add column problem text,
    add column runs bigint not null default 0,
    add column paused_until timestamptz,
    add column counted_from timestamptz,
    add column finished_at timestamptz`,
  // Whoever writes a schedule in plain SQL needs to know its name and its definition; the next pass plans it.
  `alter table schedule
    alter column id set default gen_random_uuid(),
    alter column created_at set default date_trunc('milliseconds', clock_timestamp()),
    alter column updated_at set default date_trunc('milliseconds', clock_timestamp()),
    alter column cursor_at set default date_trunc('milliseconds', clock_timestamp()),
    alter column next_at set default to_timestamp(0)`,
  'drop index schedule_next',
  // A paused schedule is planned too: what it passes by is written down when its time comes.
  'create index schedule_next on schedule (next_at) where next_at is not null',
  `create index schedule_watched on schedule (id) where (definition->'pauseAfterFailures') is not null`,
  // What held until now is planned up to now by the next pass, and only then what holds from now on.
  `create function schedule_edited() returns trigger language plpgsql as $$
  begin
    if new.definition is not distinct from old.definition then
      return new;
    end if;
    if new.updated_at is not distinct from old.updated_at then
      new.updated_at := date_trunc('milliseconds', clock_timestamp());
    end if;
    new.version := old.version + 1;
    new.superseded := coalesce(old.superseded, '[]'::jsonb) || jsonb_build_array(jsonb_build_object(
      'definition', old.definition,
      'until', floor(extract(epoch from greatest(new.updated_at, old.cursor_at)) * 1000)));
    new.next_at := to_timestamp(0);
    new.problem := null;
    new.finished_at := null;
    return new;
  end $$`,
  `create trigger schedule_edited before update of definition on schedule
    for each row execute function schedule_edited()`,
  // What was to come of a deleted schedule comes no more; what became of it before stays until retention takes it.
  // One statement for each state: each has an index of its own, and a ledger is long.
  `create function schedule_deleted() returns trigger language plpgsql as $$
  begin
    delete from occurrence where schedule_id = old.id and state = 'due';
    delete from occurrence where schedule_id = old.id and state = 'buffered';
    return null;
  end $$`,
  `create trigger schedule_deleted after delete on schedule
    for each row execute function schedule_deleted()`,
];

const occurrences = [
  `alter table occurrence
    add column dispatch_at timestamptz,
    add column has_input boolean not null default false,
    add column input jsonb,
    add column overlap text,
    drop constraint occurrence_state_check,
    add constraint occurrence_state_check check (state in ('due', 'buffered', 'dispatched', 'skipped', 'missed'))`,
  'drop index occurrence_due',
  // Most are dispatched at their nominal time, and have no other.
  `create index occurrence_due on occurrence (coalesce(dispatch_at, nominal_time)) where state = 'due'`,
  // Each backfill waits by itself, all else with the schedule's own rule.
  `create index occurrence_buffered on occurrence (schedule_id,
      (case when origin like 'backfill:%' then origin else 'plan' end), nominal_time, origin) where state = 'buffered'`,
  // Of one trigger there is one, however often it is asked for.
  `create unique index occurrence_trigger on occurrence (schedule_id, origin) where origin like 'trigger:%'`,
  // For retention.
  'create index occurrence_time on occurrence (greatest(nominal_time, dispatch_at))',
];

const schedulers = [
  `create table scheduler_beat (
    id text primary key,
    seen_at timestamptz not null,
    held_since timestamptz
  )`,
  // From when to when nothing was planned.
  `create table scheduler_gap (
    from_at timestamptz primary key,
    to_at timestamptz not null,
    cause text not null check (cause in ('away', 'held'))
  )`,
];
