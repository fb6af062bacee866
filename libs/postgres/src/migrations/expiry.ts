import { Migration } from '@mikro-orm/migrations';

/** When jobs expire. */
export class Expiry extends Migration {
  override name = '0002-expiry';

  override up(): void {
    this.addSql('alter table job add column expires_at timestamptz');
  }
}
