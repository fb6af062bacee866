import { randomBytes } from 'node:crypto';
import type { AuditAction } from '@jetbeat/core';
import {
  type AuditEntry,
  type AuditNote,
  beginSession,
  type Database,
  endSession,
  endSessions,
  findSession,
  type NotBegun,
  type SessionEnd,
  type SessionFilter,
  type SessionRecord,
} from '@jetbeat/postgres';
import { createCells, type Readings } from '@jetbeat/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../access/api-key.ts';
import type { FindSession } from '../access/callers.ts';
import { createKnown } from '../access/known-keys.ts';
import { REASON_HEADER, readReason } from '../audit/audit-note.ts';
import { callerAddress } from '../edges/caller-address.ts';
import { ApiError } from '../problems/problem.ts';
import { traceIdOf } from '../watching/trace.ts';
import { giveSession, makeToken, sentSession } from './session-cookie.ts';
import { sessionJson } from './session-json.ts';
import { needSite, type SiteDoor, siteOf } from './site.ts';

/** Who has shown who it is, and what it may do from now on. */
export interface SignedIn {
  readonly by: 'key' | 'oidc' | 'link';
  /** For people: what the key is called, or who the provider says it is. */
  readonly name: string;
  readonly role: Role;
  /** The only queues it sees and touches; absent: all. */
  readonly queues?: readonly string[];
  readonly payloads: boolean;
  /** The session ends no later than this; Unix milliseconds. */
  readonly expiresAt?: number;
  /** It ends with this key, and may what the key may. */
  readonly key?: { readonly id: string; readonly hash: string };
  /** Of a link: the hash of its code. It is followed when the session begins. */
  readonly link?: string;
  /** Of a link: it ends with this session, which has made the link. */
  readonly parent?: string;
  /** Of the provider, and who it is there. */
  readonly issuer?: string;
  readonly subject?: string;
}

/** Who is signed in with a browser. */
export interface Sessions {
  /**
   * Begins a session: writes it and its row of the audit, ends the one that came with the request, and sets the cookie of the answer, which
   * whoever called it then sends. A session that follows its own link is answered itself. It has checked who it is, and that the request is not another site's.
   * @throws ApiError sign_in_insecure where the browser came by plain http from elsewhere, malformed_request for several cookies,
   * unauthorized where the key holds no more, rate_limited; DatabaseUnavailableError
   */
  begin(params: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly who: SignedIn;
  }): Promise<SessionRecord>;
  /** Ends a session. False: it was over, or there is none. @param params.note who does it */
  end(params: {
    readonly session: Pick<SessionRecord, 'id' | 'tokenHash'>;
    readonly why: SessionEnd;
    readonly note: AuditNote;
  }): Promise<boolean>;
  /** Ends all that fit. @returns how many it has ended */
  endAll(params: {
    readonly filter: SessionFilter;
    readonly why: SessionEnd;
    readonly note: AuditNote;
  }): Promise<number>;
  /** Looks up a session by the hash of its token; what is told holds for less than a second. */
  readonly find: FindSession;
  /** Somebody could not sign in. */
  failed(request: FastifyRequest, by: SignedIn['by'], code: string): void;
  readings(): Readings;
}

/** How long sessions last, milliseconds. */
interface SessionTimes {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

const MAX_NAME = 128;
const MAX_AGENT = 256;
/** Neither lines nor colours of a terminal get into a list by it, nor what makes a name look like another one. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** More than there are ways and outcomes. */
const MAX_SERIES = 10;

/** In one transaction, with a row of the audit each. */
const ENDED_AT_ONCE = 500;

/** Makes what holds the sessions, in PostgreSQL, of all APIs together. */
export function createSessions(params: {
  readonly db: Database;
  readonly door: SiteDoor;
  readonly times: SessionTimes;
}): Sessions {
  const { db, door, times } = params;
  const known = createKnown<SessionRecord>({ find: (hash) => findSession(db, hash) });
  const counts = createCells<'by' | 'outcome', number>({ open: 'by', make: () => 0, max: MAX_SERIES });
  return {
    find: known.find,
    async begin({ request, reply, who }) {
      const site = siteOf(request, door);
      needSite(site);
      const before = sentSession(request, door);
      const { token, hash } = makeToken();
      const note = noteOf(request);
      const { by, name, expiresAt: until, ...rights } = who;
      const begun = await beginSession(db, {
        ...rights,
        ...times,
        id: makeId(),
        tokenHash: hash,
        beganBy: by,
        name: plain(name, MAX_NAME),
        address: callerAddress(request),
        userAgent: agentOf(request),
        until,
        replaces: before?.hash,
        audit: {
          begin: (session) => entry('session.begin', session, { ...note, actor: actorOf(session) }),
          end: (session, why, by) => entry('session.end', session, { ...note, actor: actorOf(by) }, why),
        },
      });
      if (typeof begun === 'string') throw notBegun(begun);
      // It has followed its own link, and has its token already.
      if (begun.tokenHash !== hash) return begun;
      if (before) known.forget(before.hash);
      const maxAgeMs = begun.expiresAt - begun.createdAt;
      giveSession(reply, { site, token, maxAgeMs });
      counts.of({ by, outcome: 'begun' }).value += 1;
      request.log.info({ session: begun.id, by, key: begun.key?.id }, 'signed in');
      return begun;
    },
    async end({ session, why, note }) {
      const { id, tokenHash } = session;
      const isEnded = await endSession(db, { id, why, by: note.actor.id, audit: ending(why, note) });
      known.forget(tokenHash);
      return isEnded;
    },
    async endAll({ filter, why, note }) {
      const step = { ...filter, most: ENDED_AT_ONCE, why, by: note.actor.id, audit: ending(why, note) };
      for (let count = 0; ; ) {
        const ended = await endSessions(db, step);
        for (const { tokenHash } of ended) known.forget(tokenHash);
        count += ended.length;
        if (ended.length < ENDED_AT_ONCE) return count;
      }
    },
    failed(request, by, code) {
      counts.of({ by, outcome: 'refused' }).value += 1;
      request.log.warn({ by, code, address: callerAddress(request) }, 'somebody could not sign in');
    },
    readings: () => ({ jetbeat_api_sign_ins_total: counts.all }),
  };
}

/** Such that it is never the id of a key. */
function makeId(): string {
  return `s_${randomBytes(8).toString('hex')}`;
}

/** Seconds. */
const RETRY_AFTER = 60;

function notBegun(why: NotBegun): ApiError {
  if (why === 'gone') return new ApiError('unauthorized', 'what you signed in with holds no more');
  const message = 'too many sessions were begun with this key, or by this person, in the last ten minutes';
  return new ApiError('rate_limited', message, { retryAfter: RETRY_AFTER });
}

/** From where, and why, somebody signs in or out. */
export function noteOf(request: FastifyRequest): Omit<AuditNote, 'actor'> {
  const reason = readReason(request.headers[REASON_HEADER]);
  return {
    address: callerAddress(request),
    ...(reason === undefined ? {} : { reason }),
    traceId: traceIdOf(request.id),
  };
}

/** Whoever is signed in, as the audit names it. */
export function actorOf({ id, name, role }: SessionRecord): AuditNote['actor'] {
  return { kind: 'session', id, name, role };
}

/** What is kept of a session that ends. */
function ending(why: SessionEnd, note: AuditNote): (ended: SessionRecord) => AuditEntry {
  return (ended) => entry(why === 'revoked' ? 'session.revoke' : 'session.end', ended, note, why);
}

function entry(action: AuditAction, session: SessionRecord, note: AuditNote, why?: SessionEnd): AuditEntry {
  const { parent } = session;
  const shown = { ...sessionJson(session), ...(parent === undefined ? {} : { linkOf: parent }) };
  const values = why === undefined ? { after: shown } : { before: shown, after: { ...shown, ended: why } };
  return { note, action, target: { kind: 'session', id: session.id }, ...values };
}

function agentOf({ headers }: FastifyRequest): string | undefined {
  return plain(headers['user-agent'] ?? '', MAX_AGENT) || undefined;
}

function plain(text: string, most: number): string {
  return [...text.replaceAll(HIDDEN, '').trim()].slice(0, most).join('');
}
