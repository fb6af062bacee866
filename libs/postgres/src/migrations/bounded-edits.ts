import { Migration } from '@mikro-orm/migrations';

/** The name under which the database refuses an edit too many. */
export const EDITS_BOUND = 'schedule_edits_bound';
/** Definitions that are kept beside the one that holds, and how much they may be together, in bytes. */
const MOST = 1_000;
const MOST_BYTES = 16 * 1024 ** 2;

/**
 * What a schedule was is kept until a scheduler has planned it, since no time of it may be lost, nor fire by what came later. While none plans that grows
 * with every edit, so there is an end to it: one too many is refused, whoever makes it, and nothing is planned wrongly.
 */
export class BoundedEdits extends Migration {
  override name = '0018-bounded-edits';

  override up(): void {
    this.addSql(`create or replace function schedule_edited() returns trigger language plpgsql as $$
      begin
        if new.definition is not distinct from old.definition then
          return new;
        end if;
        if new.updated_at is not distinct from old.updated_at then
          new.updated_at := date_trunc('milliseconds', clock_timestamp());
        end if;
        new.version := old.version + 1;
        new.superseded := coalesce(old.superseded, '[]'::jsonb) || jsonb_build_array(jsonb_build_object(
          'definition', old.definition,
          'until', floor(extract(epoch from greatest(new.updated_at, old.cursor_at)) * 1000)));
        if jsonb_array_length(new.superseded) > ${MOST}
          or (old.superseded is not null and pg_column_size(new.superseded) > ${MOST_BYTES}) then
          raise exception using
            errcode = 'program_limit_exceeded',
            constraint = '${EDITS_BOUND}',
            table = 'schedule',
            message = format('the schedule %s was changed %s times since a scheduler last planned it, and no more is kept of what held meanwhile: start a scheduler, and change it a second later, or delete it and make it anew',
              old.name, jsonb_array_length(old.superseded));
        end if;
        new.next_at := to_timestamp(0);
        new.problem := null;
        new.finished_at := null;
        return new;
      end $$`);
  }
}
