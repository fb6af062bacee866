import { Migration } from '@mikro-orm/migrations';

/**
 * Workers that take nothing new; and batches: one action on many jobs. Replays of dead letters are batches from here on; those that are there, and those that an older process still
 * accepts, are taken over, and as
 * the jobs that they make have the same ids, an older process that still works at one makes none twice.
 */
export class Batches extends Migration {
  override name = '0013-batches';

  override up(): void {
    this.addSql('alter table worker add column draining boolean not null default false');
    this.addSql(`create table batch (
      id uuid primary key,
      action text not null,
      filter jsonb not null,
      queues text[],
      rate integer not null,
      most integer,
      total integer not null,
      total_capped boolean not null,
      asked jsonb not null,
      done integer not null default 0,
      skipped integer not null default 0,
      failed integer not null default 0,
      failures jsonb not null default '[]',
      pending uuid[] not null default '{}',
      tries integer not null default 0,
      last_id uuid,
      paced_at timestamptz not null,
      waiting_for text,
      lease uuid,
      lease_until timestamptz,
      created_at timestamptz not null,
      abort_at timestamptz,
      finished_at timestamptz
    )`);
    this.addSql('create index batch_open on batch (created_at) where finished_at is null');
    this.addSql('create index batch_created on batch (created_at, id)');
    // First the trigger: it waits for whoever writes a replay, and what is written then is copied.
    this.addSql(`create function replay_is_batch() returns trigger language plpgsql as $$
      begin
        ${take('(select new.*)')};
        return null;
      end $$`);
    this.addSql(
      'create trigger replay_is_batch after insert on replay for each row execute function replay_is_batch()',
    );
    this.addSql(take('replay'));
  }
}

function take(from: string): string {
  return `insert into batch (id, action, filter, rate, most, total, total_capped, asked, done, skipped, last_id,
      paced_at, created_at, finished_at)
    select id, 'replay', filter || '{"states": ["dead"]}', rate, most, replayed + skipped, true,
      jsonb_build_object('actor', jsonb_build_object('kind', 'key', 'id', by, 'name', by, 'role', 'operator')),
      replayed, skipped, last_id, created_at, created_at, done_at from ${from} r on conflict (id) do nothing`;
}
