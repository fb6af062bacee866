import { Migration } from '@mikro-orm/migrations';

/** From which job a retry was made, and from which step on a job's messages hold that was moved by hand. */
export class Retries extends Migration {
  override name = '0005-retries';

  override up(): void {
    this.addSql('alter table job add column retry_of uuid, add column moved_below bigint');
  }
}
