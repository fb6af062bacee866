import { Migration } from '@mikro-orm/migrations';

/** What handlers say of their progress, what follows the end of a job, and notices. */
export class Callbacks extends Migration {
  override name = '0004-callbacks';

  override up(): void {
    this.addSql('alter table job add column progress jsonb');
    // False: nobody has looked yet whether something follows the end of a job that failed. Of what there is already nobody wants to
    // hear: a default for old rows and another for new ones, since no row is written for that.
    this.addSql('alter table job add column followed boolean not null default true');
    this.addSql('alter table job alter column followed set default false');
    // How many notices of a rule went out in its present period, and of what they told.
    this.addSql(`create table notice_count (
      rule text primary key,
      since timestamptz not null,
      until timestamptz not null,
      sent integer not null,
      held integer not null
    )`);
  }
}
