import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';
import type { Total } from '../jobs/count-jobs.ts';
import { countNewest } from '../jobs/count-newest.ts';
import { binder } from '../jobs/walk-jobs.ts';
import { conditionsOf, type SessionFilter } from './session-filter.ts';
import {
  LIVE_SESSION,
  OPEN_SESSION,
  SESSION_FROM,
  SESSION_SELECT,
  type SessionRecord,
  type SessionRow,
  sessionRecord,
} from './session-record.ts';

const NEWEST = 's.created_at desc, s.id desc';

/** Sessions that let in, the newest first. @param params.after the last one of the page before */
export async function listSessions(
  db: Database,
  params: SessionFilter & {
    readonly limit: number;
    readonly after?: { readonly createdAt: number; readonly id: string };
  },
): Promise<SessionRecord[]> {
  const { limit, after } = params;
  const { values, bind } = binder([limit]);
  const where = [
    ...[LIVE_SESSION, ...conditionsOf(params, bind)],
    ...(after === undefined
      ? []
      : [`(s.created_at, s.id) < (${at(bind(after.createdAt))}, ${bind(after.id)})`]),
  ];
  const rows = await inside(db).rows<SessionRow>(
    `select ${SESSION_SELECT} from ${SESSION_FROM} where ${where.join(' and ')} order by ${NEWEST} limit $1`,
    values,
  );
  return rows.map(sessionRecord);
}

/** How many of them there are. */
export function countSessions(db: Database, filter: SessionFilter): Promise<Total> {
  const { values, bind } = binder();
  const fits = [LIVE_SESSION, ...conditionsOf(filter, bind)];
  return countNewest(db, { from: SESSION_FROM, walk: [OPEN_SESSION], fits, order: NEWEST, values });
}
