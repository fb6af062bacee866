import { Migration } from '@mikro-orm/migrations';

/** What a key may do besides its role, until when, and what became of it. */
export class Access extends Migration {
  override name = '0010-access';

  override up(): void {
    // Every key that is there before this came from the configuration of an API.
    this.addSql(`alter table api_key
      add column name text not null default '',
      add column queues text[],
      add column payloads boolean not null default true,
      add column configured boolean not null default true,
      add column created_by text,
      add column expires_at timestamptz,
      add column last_used_at timestamptz,
      add column revoked_at timestamptz,
      add column revoked_by text,
      add column retired text[] not null default '{}'`);
    this.addSql('alter table api_key alter column configured set default false');
  }
}
