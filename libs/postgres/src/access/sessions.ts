import { type Database, inside } from '../database/database.ts';
import { at, type Sql } from '../database/sql.ts';
import { type AuditEntry, writeAudit } from './audit.ts';
import { useSessionLink } from './session-links.ts';
import {
  LIVE_KEY,
  LIVE_SESSION,
  NOT_IDLE,
  SESSION_FROM,
  SESSION_SELECT,
  type SessionBegin,
  type SessionOwner,
  type SessionRecord,
  type SessionRow,
  sessionRecord,
} from './session-record.ts';

export type { SessionBegin, SessionOwner, SessionRecord };

/** The most sessions that may be open of one key, or of one person at a provider: of more the one that was idle longest ends. */
const MOST_OF_ONE = 100;

/** The most that one of them may begin in ten minutes: each leaves rows. */
const MOST_BEGUN = 100;

/** Why a session has ended. */
export type SessionEnd = 'signed-out' | 'revoked' | 'replaced' | 'crowded';

type Maybe<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined };

/** A session that is to begin. */
export interface NewSession
  extends Pick<SessionRecord, 'id' | 'tokenHash' | 'beganBy' | 'name' | 'role' | 'payloads'>,
    Maybe<Pick<SessionRecord, 'key' | 'parent' | 'issuer' | 'subject' | 'queues' | 'address' | 'userAgent'>> {
  /** Milliseconds without a request after which it is over. */
  readonly idleMs: number;
  /** Milliseconds after which it is over in any case. */
  readonly absoluteMs: number;
  /** It ends no later than this. */
  readonly until?: number | undefined;
  /** Hash of the token of the one that it takes the place of. */
  readonly replaces?: string | undefined;
  /** Hash of the code of the link that is followed, which is gone then. */
  readonly link?: string | undefined;
  /** What is to be kept of it, and of those that end by it. */
  readonly audit: {
    readonly begin: (session: SessionRecord) => AuditEntry;
    readonly end: (ended: SessionRecord, why: SessionEnd, by: SessionRecord) => AuditEntry;
  };
}

/** Its times are those of the statement: with a clock that is read for each, a session could end a millisecond later than it says. */
const INSERT = `insert into session (id, token_hash, began_by, key_id, key_hash, parent_id, issuer, subject, name, role, queues, payloads,
    address, user_agent, idle_seconds, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    date_trunc('milliseconds', statement_timestamp()),
    least(date_trunc('milliseconds', statement_timestamp()) + make_interval(secs => $16), ${at('$17')}))`;

/** Why a session does not begin: that to which it would belong holds no more, or has begun too many lately. */
export type NotBegun = 'gone' | 'too many';

/**
 * Begins a session, and ends the one in whose place it comes. Where it does not begin nothing is changed.
 * @returns the session that is there where that follows its own link: whatever began there, without a parent, would not end with it
 */
export async function beginSession(db: Database, asked: NewSession): Promise<SessionRecord | NotBegun> {
  const { id, replaces, audit } = asked;
  return inside(db).transaction(async (sql) => {
    const replaced = replaces === undefined ? undefined : await read(sql, 's.token_hash = $1', replaces);
    const isOwnLink = replaced !== undefined && asked.parent === replaced.id;
    const hindrance = isOwnLink && !replaced.live ? 'gone' : await hindranceOf(sql, asked);
    if (hindrance) return hindrance;
    if (isOwnLink) return replaced;
    await sql.run(INSERT, valuesOf(asked));
    const begun = await read(sql, 's.id = $1', id);
    if (!begun) throw new Error('a session that was just written is not there');
    const entries = [audit.begin(begun)];
    const over = async (session: SessionRecord, why: SessionEnd) => {
      if (await end(sql, session.id, { why, by: id })) entries.push(audit.end(session, why, begun));
    };
    if (replaced?.live) await over(replaced, 'replaced');
    for (const session of await tooMany(sql, begun)) await over(session, 'crowded');
    await writeAudit(sql, ...entries);
    return begun;
  });
}

/** Why it cannot begin. The link is used up last, where nothing else is in the way. */
async function hindranceOf(sql: Sql, asked: NewSession): Promise<NotBegun | undefined> {
  if (!(await ownerHolds(sql, asked))) return 'gone';
  if (await hasBegunMany(sql, asked)) return 'too many';
  const { link } = asked;
  return link === undefined || (await useSessionLink(sql, link)) ? undefined : 'gone';
}

function valuesOf(asked: NewSession): unknown[] {
  const { id, tokenHash, beganBy, key, parent, issuer, subject, name, role, queues, payloads } = asked;
  const { address, userAgent, idleMs, absoluteMs, until } = asked;
  const owner = [key?.id, key?.hash, parent, issuer, subject];
  const times = [Math.round(idleMs / 1_000), absoluteMs / 1_000, until];
  const shown = [name, role, queues, payloads, address, userAgent];
  const values = [id, tokenHash, beganBy, ...owner, ...shown, ...times];
  return values.map((value) => value ?? null);
}

/** What ends meanwhile ends the session too: each look at it looks there. */
async function ownerHolds(sql: Sql, { key, parent }: NewSession): Promise<boolean> {
  if (key) {
    const holds = await sql.row(`select 1 from api_key k where k.id = $1 and k.hash = $2 and ${LIVE_KEY}`, [
      key.id,
      key.hash,
    ]);
    if (!holds) return false;
  }
  return parent === undefined || (await read(sql, 's.id = $1', parent))?.live === true;
}

async function read(sql: Sql, where: string, value: string): Promise<SessionRecord | undefined> {
  const row = await sql.row<SessionRow>(`select ${SESSION_SELECT} from ${SESSION_FROM} where ${where}`, [
    value,
  ]);
  return row && sessionRecord(row);
}

interface End {
  readonly why: SessionEnd;
  readonly by: string;
}

/** False: it has ended already. */
async function end(sql: Sql, id: string, { why, by }: End): Promise<boolean> {
  const ended = await sql.run(
    `update session set ended_at = clock_timestamp(), ended_why = $2, ended_by = $3 where id = $1 and ended_at is null`,
    [id, why, by],
  );
  return ended > 0;
}

/** SQL: the sessions `s` of the same key, or of the same person at a provider; with its values. */
function sameHolder({ key, issuer, subject }: NewSession | SessionRecord): [string, unknown[]] {
  if (key) return ['s.key_id = $1', [key.id]];
  return ['s.key_id is null and s.issuer = $1 and s.subject = $2', [issuer ?? null, subject ?? null]];
}

async function hasBegunMany(sql: Sql, asked: NewSession): Promise<boolean> {
  const [where, values] = sameHolder(asked);
  const found = await sql.row(
    `select 1 from session s where ${where} and s.created_at > clock_timestamp() - interval '10 minutes' offset ${MOST_BEGUN - 1} limit 1`,
    values,
  );
  return found !== undefined;
}

async function tooMany(sql: Sql, begun: SessionRecord): Promise<SessionRecord[]> {
  const [where, values] = sameHolder(begun);
  const rows = await sql.rows<SessionRow>(
    `select ${SESSION_SELECT} from ${SESSION_FROM} where ${where} and ${LIVE_SESSION}
     order by s.seen_at desc, s.id offset ${MOST_OF_ONE}`,
    values,
  );
  return rows.map(sessionRecord).filter(({ id }) => id !== begun.id);
}

/** The session with this token; one that is over is found too, until it is deleted. @param hash of the token */
export async function findSession(db: Database, hash: string): Promise<SessionRecord | undefined> {
  return read(inside(db), 's.token_hash = $1', hash);
}

/** The same by its id. */
export async function getSession(db: Database, id: string): Promise<SessionRecord | undefined> {
  return read(inside(db), 's.id = $1', id);
}

/** Ends a session for ever. False: there is none, or it has ended already. */
export async function endSession(
  db: Database,
  params: End & { readonly id: string; readonly audit: (ended: SessionRecord) => AuditEntry },
): Promise<boolean> {
  const { id, audit } = params;
  return inside(db).transaction(async (sql) => {
    const session = await read(sql, 's.id = $1', id);
    if (!session || !(await end(sql, id, params))) return false;
    await writeAudit(sql, audit(session));
    return true;
  });
}

/** Notes that sessions were used, at most once a minute each. One that is over stays so. */
export async function noteSessionUse(db: Database, ids: readonly string[]): Promise<void> {
  await inside(db).transaction(
    (sql) =>
      sql.run(
        `update session t set seen_at = clock_timestamp() where t.id in (
           select s.id from session s where s.id = any($1::text[]) and s.ended_at is null and ${NOT_IDLE}
             and s.seen_at < clock_timestamp() - interval '55 seconds'
           order by s.id for update skip locked)`,
        [ids],
      ),
    { durable: () => false },
  );
}

/**
 * Forgets sessions that were over before `before` (Unix milliseconds), `limit` at most; and links that nobody followed. Several may do
 * it at once.
 * @returns how many rows went
 */
export async function forgetSessions(
  db: Database,
  params: { before: number; limit: number },
): Promise<number> {
  const sql = inside(db);
  const { before, limit } = params;
  const sessions = await sql.run(
    `delete from session where id in (select id from session where coalesce(ended_at, expires_at) < ${at('$1')}
       order by coalesce(ended_at, expires_at) limit $2 for update skip locked)`,
    [before, limit],
  );
  const links = await sql.run(
    `delete from session_link where code_hash in (select code_hash from session_link where expires_at < clock_timestamp()
       order by expires_at limit $1 for update skip locked)`,
    [limit],
  );
  return Math.max(sessions, links);
}
