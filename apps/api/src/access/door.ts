import { lookup } from 'node:dns/promises';
import { type ApiConfig, addressesIn, ConfigError } from '@jetbeat/runtime';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { readTls, type Tls } from './tls.ts';

const isLoopbackAddress = addressesIn(['127.0.0.0/8', '::1']);
/** Whoever watches the process from outside may come by any way. */
const FOR_ALL: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz']);

/** How the API is reached. */
export interface Door {
  readonly tls?: Tls | undefined;
  readonly trustedProxies: readonly string[];
  /** Others than the programs of this machine can reach it. */
  readonly isOpen: boolean;
  /** Browsers reach it by https alone. */
  readonly secure: boolean;
  /** As people write it. */
  readonly publicUrl?: string | undefined;
}

/** How it is reached where nothing is said: by the programs of this machine. */
export const HOME: Door = { trustedProxies: [], isOpen: false, secure: false };

/**
 * Looks at how the API would be reached, and refuses what would let in anybody, or would let anybody on the way read keys and data.
 * @param params.hasKey whether there is a key that may be used
 * @throws ConfigError saying what to do
 */
export async function checkDoor(params: {
  readonly host: string;
  readonly api: Pick<ApiConfig, 'tls' | 'trustedProxies' | 'publicUrl'>;
  readonly hasKey: () => Promise<boolean>;
}): Promise<Door> {
  const { host, api, hasKey } = params;
  const { tls, trustedProxies, publicUrl } = api;
  const isElsewhere = !(await isLoopback(host));
  const secure = tls !== undefined || publicUrl?.startsWith('https:') === true;
  const isOpen = isElsewhere || trustedProxies.length > 0 || publicUrl !== undefined;
  const problems: string[] = [];
  if (publicUrl?.startsWith('https:') && tls === undefined && trustedProxies.length === 0)
    problems.push(NOBODY_ENDS_HTTPS);
  const begin = `the API would listen on ${host} (JETBEAT_HOST), which others than this machine can reach, and`;
  if (isElsewhere && !(await hasKey()))
    problems.push(
      `${begin} nobody has a key: set JETBEAT_API_KEY_FILE to a file with a first one (docs/access.md), or listen on 127.0.0.1`,
    );
  if (isElsewhere && tls === undefined && trustedProxies.length === 0)
    problems.push(
      `${begin} keys and data could be read on the way: give api.tls (JETBEAT_TLS_CERT, JETBEAT_TLS_KEY), or name the proxies that end https before it in api.trustedProxies (JETBEAT_TRUSTED_PROXIES), or listen on 127.0.0.1`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return { tls: tls && (await readTls(tls)), trustedProxies, isOpen, secure, publicUrl };
}

/** Behind a proxy that is not named all callers have one address: each could keep the others out, and the audit would not tell them apart. */
const NOBODY_ENDS_HTTPS =
  'api.publicUrl (JETBEAT_PUBLIC_URL) is https, and nothing ends https there: name the proxy that does in api.trustedProxies (JETBEAT_TRUSTED_PROXIES; 127.0.0.1 where it runs on this machine), or give api.tls (JETBEAT_TLS_CERT, JETBEAT_TLS_KEY)';

/**
 * Where https is the affair of proxies, only they are answered, and this machine: a key that came straight would have come in the clear.
 */
export function admitProxies(app: FastifyInstance, { tls, trustedProxies }: Door): void {
  if (tls !== undefined || trustedProxies.length === 0) return;
  const isProxy = addressesIn(trustedProxies);
  app.addHook('onRequest', (request, _reply, done) => {
    const peer = request.socket.remoteAddress ?? '';
    if (isProxy(peer) || isLoopbackAddress(peer) || FOR_ALL.has(request.routeOptions.url)) return done();
    const message =
      'requests come through the proxy that ends https: ask there. A key that was sent here was readable on the way';
    done(new ApiError('not_through_proxy', message));
  });
}

/** Whether a name or an address is of this machine alone. What cannot be found out is not. */
async function isLoopback(host: string): Promise<boolean> {
  if (isLoopbackAddress(host)) return true;
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.length > 0 && found.every(({ address }) => isLoopbackAddress(address));
}
