import type { ApiKeyRecord, SessionRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import { sentSession, type WithCookies } from '../sign-in/session-cookie.ts';
import { sessionCaller } from '../sign-in/session-json.ts';
import { refuseOthers, type SiteDoor } from '../sign-in/site.ts';
import { hasHash, parseKey } from './api-key.ts';
import type { Caller } from './caller.ts';
import { HOME } from './door.ts';
import type { Find, FindKey } from './known-keys.ts';

/** Said to whoever comes without a key that is known. */
const WHERE = 'it is in .jetbeat/admin.key of the embedded stack, else it is the value of JETBEAT_API_KEY';

const BEARER = /^Bearer +(\S{1,256})$/i;

/** Finds out who calls. */
export interface Callers {
  /**
   * Who makes a request. A key goes before a session.
   * @throws ApiError unauthorized, key_expired, key_revoked, session_ended; cross_site, malformed_request of a session; database_unavailable
   * where nobody can say
   */
  of(request: WithCookies): Promise<Caller>;
  /** The same for a key alone. */
  ofKey(sent: string): Promise<Caller>;
}

/** Looks up a session by the hash of its token. */
export type FindSession = Find<SessionRecord>;

/**
 * @param params.findSession absent: nobody is signed in
 * @param params.clock Unix milliseconds
 */
export function createCallers(params: {
  readonly findKey: FindKey;
  readonly findSession?: FindSession;
  readonly door?: SiteDoor;
  readonly clock: () => number;
}): Callers {
  const { findKey, findSession = async () => undefined, door = HOME, clock } = params;
  const isOver = ({ expired, expiresAt }: ApiKeyRecord) =>
    expired || (expiresAt !== undefined && expiresAt <= clock());
  const callers: Callers = {
    async of(request) {
      const { authorization } = request.headers;
      if (authorization !== undefined) {
        const [, key] = BEARER.exec(authorization) ?? [];
        if (key === undefined) throw noKey();
        return callers.ofKey(key);
      }
      const sent = sentSession(request, door);
      if (!sent) throw noKey();
      refuseOthers(request, sent.site);
      const session = sent.hash === '' ? undefined : await findSession(sent.hash);
      if (!session) throw new ApiError('unauthorized', 'this session is not known: sign in at /sign-in');
      if (!session.live)
        throw new ApiError('session_ended', 'this session is over: sign in anew at /sign-in');
      return sessionCaller(session);
    },
    async ofKey(sent) {
      const { id, secret } = parseKey(sent) ?? {};
      if (id === undefined || secret === undefined) throw unknownKey();
      const key = await findKey(id);
      // Only whoever has the secret is told what became of the key.
      const wasRevoked = key?.retired.some((hash) => hasHash(secret, hash)) ?? false;
      if (wasRevoked)
        throw new ApiError('key_revoked', 'this API key was revoked: ask an admin for another one');
      if (!hasHash(secret, key?.hash) || !key) throw unknownKey();
      if (key.revokedAt !== undefined) throw unknownKey();
      if (isOver(key))
        throw new ApiError('key_expired', 'this API key has expired: ask an admin for another one');
      return callerOf(key);
    },
  };
  return callers;
}

function callerOf({ id, hash, name, role, queues, payloads, expiresAt }: ApiKeyRecord): Caller {
  return {
    kind: 'key',
    id,
    hash,
    name: name || id,
    role,
    payloads,
    ...(queues === undefined ? {} : { queues }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function unknownKey(): ApiError {
  return new ApiError('unauthorized', `the API key is not known: ${WHERE}`);
}

function noKey(): ApiError {
  return new ApiError(
    'unauthorized',
    `send the API key in the header "Authorization: Bearer jb_…", or sign in at /sign-in: ${WHERE}`,
  );
}
