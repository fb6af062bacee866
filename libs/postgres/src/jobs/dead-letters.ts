import { type AuditEntry, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';

/** Throws the dead letter of a job away: the job stays in history. False when there is none. */
export async function discardDead(
  db: Database,
  params: { readonly id: string; readonly now: number; readonly audit?: AuditEntry },
): Promise<boolean> {
  const { id, now, audit } = params;
  return inside(db).transaction(async (sql) => {
    const changed = await sql.run(
      `update job set discarded_at = $2 where id = $1 and state = 'dead' and discarded_at is null`,
      [id, new Date(now)],
    );
    if (changed > 0 && audit) await writeAudit(sql, audit);
    return changed > 0;
  });
}

/** Whether the dead letter of a job was thrown away. */
export async function isDiscarded(db: Database, id: string): Promise<boolean> {
  const row = await inside(db).row('select 1 from job where id = $1 and discarded_at is not null', [id]);
  return row !== undefined;
}
