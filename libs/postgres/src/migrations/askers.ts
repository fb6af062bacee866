import { Migration } from '@mikro-orm/migrations';

/** Who asked for a job, and for a run of a schedule beside its plan. */
export class Askers extends Migration {
  override name = '0015-askers';

  override up(): void {
    this.addSql('alter table job add column requested_by jsonb');
    this.addSql('alter table occurrence add column requested_by jsonb');
  }
}
