import { Migration } from '@mikro-orm/migrations';

/** What the replicas of an app must have in common, and nobody else may know. */
export class Secrets extends Migration {
  override name = '0012-secrets';

  override up(): void {
    this.addSql(`create table secret (
      name text primary key,
      value bytea not null,
      created_at timestamptz not null default clock_timestamp()
    )`);
  }
}
