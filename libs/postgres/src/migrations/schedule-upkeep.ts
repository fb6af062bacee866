import { Migration } from '@mikro-orm/migrations';

/**
 * How often the rows are cleared that schedules leave behind. Every fire changes the row of its schedule, and with it the index by the next
 * time, which every pass reads from its beginning: with the default, a fifth of the table, a million schedules would keep
 * 200,000 dead entries there. What is dead is counted, whatever the size of the table: a vacuum skips the pages in which
 * nothing has changed.
 */
export class ScheduleUpkeep extends Migration {
  override name = '0010-schedule-upkeep';

  override up(): void {
    // This keeps nobody from reading or writing (share update exclusive).
    for (const table of ['schedule', 'occurrence'])
      this.addSql(
        `alter table ${table} set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`,
      );
  }
}
