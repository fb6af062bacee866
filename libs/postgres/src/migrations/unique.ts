import { Migration } from '@mikro-orm/migrations';

/** By which key a job is unique. */
export class Unique extends Migration {
  override name = '0006-unique';

  override up(): void {
    this.addSql('alter table job add column unique_key jsonb');
    // Most jobs have none, and those that are over are looked for no more.
    this.addSql('create index job_unique on job (id) where unique_key is not null and finished_at is null');
  }
}
