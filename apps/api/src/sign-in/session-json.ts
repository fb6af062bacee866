import type { Session, SessionShown } from '@jetbeat/core/http';
import type { SessionRecord } from '@jetbeat/postgres';
import { type Caller, holderOf } from '../access/caller.ts';
import { timeText } from '../jobs/job-json.ts';

/** Who makes a request, as it is told itself. @param session of one who is signed in */
export function callerJson(caller: Caller, session?: SessionRecord): Session {
  const { kind, id, name, role, queues, payloads } = caller;
  const expiresAt = session ? session.expiresAt : caller.expiresAt;
  return {
    kind,
    id,
    name,
    role,
    payloads,
    queues: queues ? [...queues] : null,
    beganBy: session?.beganBy ?? null,
    idleUntil: session ? timeText(session.idleUntil) : null,
    expiresAt: expiresAt === undefined ? null : timeText(expiresAt),
  };
}

/** A session as it is listed, and as the audit keeps it: never its token, nor what is stored of that. */
export function sessionJson(session: SessionRecord): Omit<SessionShown, 'current'> {
  const { id, name, role, queues, payloads, beganBy, key, issuer, subject, address, userAgent } = session;
  return {
    id,
    name,
    role,
    payloads,
    beganBy,
    queues: queues ? [...queues] : null,
    keyId: key?.id ?? null,
    issuer: issuer ?? null,
    subject: subject ?? null,
    createdAt: timeText(session.createdAt),
    seenAt: timeText(session.seenAt),
    idleUntil: timeText(session.idleUntil),
    expiresAt: timeText(session.expiresAt),
    address: address ?? null,
    userAgent: userAgent ?? null,
  };
}

/** Who is signed in, as whoever makes requests. */
export function sessionCaller(session: SessionRecord): Caller {
  const { id, tokenHash: hash, name, role, queues, payloads, keyExpiresAt, key, issuer, subject } = session;
  const person = subject === undefined ? undefined : `person ${issuer} ${subject}`;
  const holder = key ? holderOf({ kind: 'key', id: key.id }) : person;
  return {
    kind: 'session',
    id,
    hash,
    name,
    role,
    payloads,
    ...(queues === undefined ? {} : { queues }),
    ...(keyExpiresAt === undefined ? {} : { expiresAt: keyExpiresAt }),
    ...(holder === undefined ? {} : { holder }),
  };
}
