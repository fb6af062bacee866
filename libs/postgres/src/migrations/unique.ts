import { Migration } from '@mikro-orm/migrations';

/** By which key a job is unique. */
export class Unique extends Migration {
  override name = '0006-unique';

  override up(): void {
    this.addSql('alter table job add column unique_key jsonb');
  }
}
