import { Migration } from '@mikro-orm/migrations';

/** Limits of tasks that were said at run time; what is null holds as configured, or as the task says. */
export class TaskLimits extends Migration {
  override name = '0008-task-limits';

  override up(): void {
    this.addSql(`create table task_limit (
      name text primary key,
      version integer not null,
      rate_limit jsonb,
      concurrency jsonb,
      updated_at timestamptz not null
    )`);
  }
}
