import { type Database, inside } from '../database/database.ts';
import { LIVE_KEY, LIVE_SESSION, SESSION_FROM } from './session-record.ts';

/** A key or a session as it was when somebody came with it. */
interface CallerInUse {
  readonly kind: 'key' | 'session';
  readonly id: string;
  /** That of the secret, or of the token, it had then. */
  readonly hash: string;
}

const LIVE = `select 'key' as kind, k.id, k.hash from api_key k where k.id = any($1::text[]) and ${LIVE_KEY}
  union all
  select 'session', s.id, s.token_hash from ${SESSION_FROM} where s.id = any($2::text[]) and ${LIVE_SESSION}`;

/**
 * Which of these may be used now, by PostgreSQL's clock: keys that are neither revoked nor expired, and whose secrets are still those;
 * sessions that are not over, and whose keys may be used.
 */
export async function liveCallers<Caller extends CallerInUse>(
  db: Database,
  callers: readonly Caller[],
): Promise<Caller[]> {
  const ids = (kind: CallerInUse['kind']) => callers.flatMap((each) => (each.kind === kind ? [each.id] : []));
  const rows = await inside(db).rows<CallerInUse>(LIVE, [ids('key'), ids('session')]);
  const live = new Set(rows.map(textOf));
  return callers.filter((each) => live.has(textOf(each)));
}

function textOf({ kind, id, hash }: CallerInUse): string {
  return `${kind} ${id} ${hash}`;
}
