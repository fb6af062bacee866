import { type Database, inside } from '../database/database.ts';
import { isOneOf } from '../jobs/choose-lead.ts';
import { binder } from '../jobs/walk-jobs.ts';
import { type BatchScope, conditionsFor } from './batch-filter.ts';

/**
 * Those of these jobs that the filter of their batch still speaks of: whatever was stored as its next ones may have gone on since. A job
 * that is being cancelled is one of them, since its batch may have been cut off after it had begun to.
 */
export async function fittingOf(
  db: Database,
  scope: BatchScope,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { leads, rest } = conditionsFor(scope);
  const { values, bind } = binder([[...ids]]);
  const fits = [...leads.map((lead) => isOneOf(lead, bind(lead.values))), ...rest.map((part) => part(bind))];
  const found = await inside(db).rows<{ id: string }>(
    `select j.id from job j where j.id = any($1::uuid[]) and (j.cancel_requested_at is not null or (${fits.join(' and ')}))`,
    values,
  );
  return new Set(found.map(({ id }) => id));
}
