import { Migration } from '@mikro-orm/migrations';

/**
 * A schedule that was written in plain SQL is planned from the instant on at which its times are counted from: with a clock that is read
 * for each column, its first due time could be a millisecond further away than its period.
 */
export class OneBeginning extends Migration {
  override name = '0017-one-beginning';

  override up(): void {
    this.addSql(`alter table schedule
      alter column created_at set default date_trunc('milliseconds', statement_timestamp()),
      alter column updated_at set default date_trunc('milliseconds', statement_timestamp()),
      alter column cursor_at set default date_trunc('milliseconds', statement_timestamp())`);
  }
}
