import { Migration } from '@mikro-orm/migrations';

/** When jobs expire. */
export class Expiry extends Migration {
  override name = '0002-expiry';

  override up(): void {
    this.addSql('alter table job add column expires_at timestamptz');
    // Most jobs never expire, and those that are over are looked for no more.
    this.addSql(
      'create index job_expires on job (expires_at) where expires_at is not null and finished_at is null',
    );
  }
}
