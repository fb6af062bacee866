import { Migration } from '@mikro-orm/migrations';

/** Whether history had heard of all that was before a batch when that last began to look for its jobs. */
export class HeardBatches extends Migration {
  override name = '0016-heard-batches';

  override up(): void {
    this.addSql('alter table batch add column heard boolean not null default false');
  }
}
