import type { ApiKeyRecord } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hasHash, mayDo, parseKey, type Role } from './api-key.ts';
import { ApiError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. */
    role?: Role;
  }
  interface FastifyRequest {
    /** Id of the key that was sent. */
    keyId: string;
  }
}

/** How long a key that was found is trusted without asking again: a revoked one works that much longer. */
const TRUST_MS = 2_000;
const MAX_KEYS = 1_000;
/** Said to whoever comes without a key that is known. */
const WHERE = 'it is in .jetbeat/admin.key of the embedded stack, else it is the value of JETBEAT_API_KEY';

/**
 * Lets in who sends a known key with the role that the route names.
 * @throws Error at start for a route without a role: no route is open by forgetting
 */
export function authenticate(
  app: FastifyInstance,
  params: { findKey: (id: string) => Promise<ApiKeyRecord | undefined>; clock: () => number },
): void {
  const { findKey, clock } = params;
  const known = new Map<string, { key: ApiKeyRecord; until: number }>();

  const find = async (id: string): Promise<ApiKeyRecord | undefined> => {
    const trusted = known.get(id);
    if (trusted && trusted.until > clock()) return trusted.key;
    known.delete(id);
    const key = await findKey(id);
    if (key && known.size < MAX_KEYS) known.set(id, { key, until: clock() + TRUST_MS });
    if (known.size >= MAX_KEYS) known.clear();
    return key;
  };

  app.decorateRequest('keyId', '');
  app.addHook('onRoute', (route) => {
    if (!route.config?.role) throw new Error(`the route ${String(route.method)} ${route.url} names no role`);
  });
  app.addHook('onRequest', async (request) => {
    const sent = parseKey(bearerOf(request));
    const key = sent && (await find(sent.id));
    if (!sent || !key || !hasHash(sent.secret, key.hash)) {
      const message = request.headers.authorization
        ? `the API key is not known: ${WHERE}`
        : `send the API key in the header "Authorization: Bearer jb_…": ${WHERE}`;
      throw new ApiError('unauthorized', message);
    }
    const needs = request.routeOptions.config.role ?? 'admin';
    if (!mayDo(key.role, needs)) {
      throw new ApiError('forbidden', `this needs the role ${needs}; the key has ${key.role}`);
    }
    request.keyId = key.id;
  });
}

function bearerOf(request: FastifyRequest): string {
  return /^Bearer +(\S{1,256})$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
