import { type Database, inside } from '../database/database.ts';
import { binder } from '../jobs/walk-jobs.ts';
import { type AuditEntry, writeAudit } from './audit.ts';
import { conditionsOf, type SessionFilter } from './session-filter.ts';
import {
  OPEN_SESSION,
  SESSION_FROM,
  SESSION_SELECT,
  type SessionRecord,
  type SessionRow,
  sessionRecord,
} from './session-record.ts';
import type { SessionEnd } from './sessions.ts';

/**
 * Ends sessions for ever, `most` at once: those too that were idle for long, so that what their links have begun ends with them. Of two calls at
 * once each session is ended by one.
 * @returns those that it has ended, as they were; fewer than `most`: there are no others
 */
export async function endSessions(
  db: Database,
  params: SessionFilter & {
    readonly most: number;
    readonly why: SessionEnd;
    /** Id of whoever does it. */
    readonly by: string;
    readonly audit: (ended: SessionRecord) => AuditEntry;
  },
): Promise<SessionRecord[]> {
  const { most, why, by, audit } = params;
  return inside(db).transaction(async (sql) => {
    const { values, bind } = binder([most]);
    const where = [OPEN_SESSION, ...conditionsOf(params, bind)];
    // Whoever lets in goes first.
    const rows = await sql.rows<SessionRow>(
      `select ${SESSION_SELECT} from ${SESSION_FROM} where ${where.join(' and ')}
       order by s.seen_at desc, s.id limit $1 for update of s`,
      values,
    );
    const ended = rows.map(sessionRecord);
    await sql.run(
      `update session set ended_at = clock_timestamp(), ended_why = $2, ended_by = $3 where id = any($1::text[])`,
      [ended.map(({ id }) => id), why, by],
    );
    await writeAudit(sql, ...ended.map(audit));
    return ended;
  });
}
