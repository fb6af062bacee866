import { expect } from 'vitest';
import { type Database, inside } from '../database/database.ts';
import { createApiKey, type NewApiKey } from './api-keys.ts';
import type { AuditEntry } from './audit.ts';
import { listSessions } from './list-sessions.ts';
import { liveCallers } from './live-callers.ts';
import { createSessionLink } from './session-links.ts';
import { beginSession, endSession, findSession, type NewSession, type SessionRecord } from './sessions.ts';

/** In milliseconds: after so long a sample is idle. */
export const HOUR = 3_600_000;
/** The key that tests know, unless they say another one. */
export const KEY = { id: 'k1', hash: 'h1' };
/** Who sees every session, and has none. */
export const ALL = { seenBy: { own: { session: 'nobody' }, all: true } };

/** What is kept in the audit of a session that did this itself. */
export const sessionEntry = (
  action: AuditEntry['action'],
  { id, name, role }: SessionRecord,
): AuditEntry => ({
  note: { actor: { kind: 'session', id, name, role } },
  action,
  target: { kind: 'session', id },
});

const audit: NewSession['audit'] = {
  begin: (session) => sessionEntry('session.begin', session),
  end: (session, why) => ({ ...sessionEntry('session.end', session), after: { why } }),
};

/** What tests do with sessions of one database. */
export interface SessionSamples {
  /** Makes a key; by default `KEY`. */
  addKey(more?: Partial<NewApiKey>): Promise<unknown>;
  /** Begins a session of a person, whose token has the hash `t-<id>`, unless that is refused. */
  ask(id: string, more?: Partial<NewSession>): ReturnType<typeof beginSession>;
  /** The same, where it cannot be refused. */
  begin(id: string, more?: Partial<NewSession>): Promise<SessionRecord>;
  /** Revokes one; whether that ended it. */
  end(id: string): Promise<boolean>;
  /** Whether one that `ask` has begun lets anybody in: by all that tells. */
  isLive(id: string): Promise<boolean | undefined>;
  /** Makes a link of nobody; when it holds no more. */
  link(codeHash: string, more?: Partial<Parameters<typeof createSessionLink>[1]>): Promise<number>;
  /** Writes into the row of a session, in SQL. */
  put(id: string, what: string): Promise<unknown>;
  /** Takes out all keys, sessions and links. */
  clear(): Promise<unknown>;
}

/** @param db is asked with each call: a test has its database only once it runs */
export function sessionSamples(db: () => Database): SessionSamples {
  const ask: SessionSamples['ask'] = (id, more = {}) =>
    beginSession(db(), {
      id,
      tokenHash: `t-${id}`,
      beganBy: 'oidc',
      name: id,
      role: 'viewer',
      payloads: true,
      issuer: 'https://i.example',
      subject: `sub-${id}`,
      idleMs: HOUR,
      absoluteMs: 24 * HOUR,
      audit,
      ...more,
    });
  return {
    ask,
    addKey: (more = {}) =>
      createApiKey(db(), {
        ...KEY,
        role: 'operator',
        name: 'K',
        payloads: true,
        createdAt: Date.now(),
        ...more,
      }),
    async begin(id, more) {
      const begun = await ask(id, more);
      if (typeof begun === 'string') throw new Error(`${id} has not begun: ${begun}`);
      return begun;
    },
    end: (id) =>
      endSession(db(), { id, why: 'revoked', by: 'x', audit: (ended) => audit.end(ended, 'revoked', ended) }),
    async isLive(id) {
      const live = (await findSession(db(), `t-${id}`))?.live;
      const callers = await liveCallers(db(), [{ kind: 'session', id, hash: `t-${id}` }]);
      expect(callers.length > 0).toBe(live ?? false);
      const listed = await listSessions(db(), { ...ALL, limit: 200 });
      expect(listed.some((each) => each.id === id)).toBe(live ?? false);
      return live;
    },
    link: (codeHash, more = {}) =>
      createSessionLink(db(), {
        codeHash,
        name: 'L',
        role: 'viewer',
        payloads: true,
        validMs: 600_000,
        ...more,
      }),
    put: (id, what) => inside(db()).run(`update session set ${what} where id = $1`, [id]),
    clear: () => inside(db()).run('truncate api_key, session, session_link'),
  };
}
