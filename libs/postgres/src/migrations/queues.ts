import { Migration } from '@mikro-orm/migrations';

/** Queues with their limits, pauses and purges, how much went through them lately, and replays of dead letters. */
export class Queues extends Migration {
  override name = '0003-queues';

  override up(): void {
    // What is null holds as the configuration says (initial).
    this.addSql(`create table queue (
      name text primary key,
      version integer not null,
      concurrency integer,
      rate_limit jsonb,
      max_depth integer,
      initial jsonb not null,
      paused jsonb,
      purge jsonb,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`);
    this.addSql(`create index queue_purge on queue (name) where purge is not null`);
    this.addSql(`create table queue_rate (
      queue text not null,
      since timestamptz not null,
      succeeded integer not null,
      failed integer not null,
      ended integer not null,
      primary key (queue, since)
    )`);
    this.addSql('create index queue_rate_since on queue_rate (since)');
    this.addSql('alter table job add column discarded_at timestamptz');
    this.addSql(`create table replay (
      id uuid primary key,
      filter jsonb not null,
      rate integer not null,
      most integer,
      by text not null,
      last_id uuid,
      replayed integer not null default 0,
      skipped integer not null default 0,
      created_at timestamptz not null,
      done_at timestamptz
    )`);
    this.addSql('create index replay_open on replay (created_at) where done_at is null');
  }
}
