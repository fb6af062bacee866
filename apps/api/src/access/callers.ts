import type { ApiKeyRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import { hasHash, parseKey } from './api-key.ts';
import type { Caller } from './caller.ts';
import type { FindKey } from './known-keys.ts';

/** Said to whoever comes without a key that is known. */
const WHERE = 'it is in .jetbeat/admin.key of the embedded stack, else it is the value of JETBEAT_API_KEY';

/** What of a request says who makes it. */
interface Asking {
  readonly headers: { readonly authorization?: string | undefined };
}

const BEARER = /^Bearer +(\S{1,256})$/i;

/** Finds out who calls. */
export interface Callers {
  /**
   * Who makes a request.
   * @throws ApiError unauthorized, key_expired, key_revoked; database_unavailable where nobody can say
   */
  of(request: Asking): Promise<Caller>;
  /** The same for a key alone. */
  ofKey(sent: string): Promise<Caller>;
}

/** @param params.clock Unix milliseconds */
export function createCallers(params: { readonly findKey: FindKey; readonly clock: () => number }): Callers {
  const { findKey, clock } = params;
  const isOver = ({ expired, expiresAt }: ApiKeyRecord) =>
    expired || (expiresAt !== undefined && expiresAt <= clock());
  const callers: Callers = {
    async of({ headers }) {
      if (headers.authorization === undefined) throw noKey();
      return callers.ofKey(BEARER.exec(headers.authorization)?.[1] ?? '');
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
    ...{ kind: 'key', id, hash, name: name || id, role, payloads },
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
    `send the API key in the header "Authorization: Bearer jb_…": ${WHERE}`,
  );
}
