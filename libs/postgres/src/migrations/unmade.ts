import { Migration } from '@mikro-orm/migrations';

/** What should follow the end of a job, and could not be made yet. */
export class Unmade extends Migration {
  override name = '0007-unmade';

  override up(): void {
    // Without a next time it was tried often enough, and is kept to be seen.
    this.addSql(`create table unmade (
      job_id uuid not null,
      what text not null,
      tries integer not null,
      since timestamptz not null,
      next_at timestamptz,
      error text not null,
      primary key (job_id, what)
    )`);
    this.addSql('create index unmade_next on unmade (next_at) where next_at is not null');
  }
}
