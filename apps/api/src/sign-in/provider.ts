import { readFile } from 'node:fs/promises';
import { JetbeatError } from '@jetbeat/core';
import type { OidcConfig } from '@jetbeat/runtime';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
} from 'openid-client';
import { createBriefly } from '../briefly.ts';
import { boundedFetch } from './bounded-fetch.ts';

/** How long one answer of the provider may take, seconds: a request of ours has 5 in all. */
const TIMEOUT_S = 4;
/** How long it is believed what the provider says of itself, milliseconds. Its keys are asked for more often. */
const FRESH_MS = 3_600_000;

/** How long a failure is told again before it is asked anew, milliseconds: anybody can have it asked. */
const FAILED_MS = 1_000;

/** What the provider says of itself cannot be used; the message says why. */
export class ProviderWrongError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('provider_wrong', message, options);
  }
}

/** What the provider says of itself: asked for at the first use, and then once an hour. */
export type Provider = () => Promise<Configuration>;

/**
 * Knows the provider. Nothing is asked before somebody signs in, so that the API starts without it; a failure is remembered for a second.
 * @param params.monotonic milliseconds of a clock that is never set back
 * @param params.timeoutS how long each of its answers may take
 */
export function createProvider(params: {
  readonly config: OidcConfig;
  readonly monotonic?: (() => number) | undefined;
  readonly timeoutS?: number;
}): Provider {
  const { config, monotonic = () => performance.now(), timeoutS = TIMEOUT_S } = params;
  type Outcome = { readonly found: Configuration } | { readonly failure: unknown };
  const briefly = createBriefly<Outcome>({
    freshMs: (outcome) => ('found' in outcome ? FRESH_MS : FAILED_MS),
    most: 1,
    monotonic,
  });
  const look = () =>
    discover(config, timeoutS).then(
      (found): Outcome => ({ found }),
      (failure: unknown): Outcome => ({ failure }),
    );
  return async () => {
    const outcome = await briefly(config.issuer, look);
    if ('found' in outcome) return outcome.found;
    throw outcome.failure;
  };
}

/**
 * The secret of this installation at the provider, if it has one.
 * @throws Error for a file that cannot be read, or has nothing in it
 */
export async function readClientSecret(
  config: Pick<OidcConfig, 'clientSecret' | 'clientSecretFile'>,
): Promise<string | undefined> {
  const { clientSecret, clientSecretFile } = config;
  if (clientSecretFile === undefined) return clientSecret;
  const secret = (await readFile(clientSecretFile, 'utf8')).trim();
  if (secret === '') throw new Error(`nothing stands in ${clientSecretFile}`);
  return secret;
}

async function discover(config: OidcConfig, timeout: number): Promise<Configuration> {
  const { issuer, clientId } = config;
  const server = new URL(issuer);
  const found = await discovery(server, clientId, undefined, authOf(config, await readClientSecret(config)), {
    timeout,
    [customFetch]: boundedFetch,
    // Only one on this machine may be asked by http: the configuration sees to it, and so does each request.
    execute: [enableNonRepudiationChecks, ...(server.protocol === 'http:' ? [allowInsecureRequests] : [])],
  }).catch((cause: Error & { code?: unknown }) => {
    const { code, message } = cause;
    if (typeof code !== 'string' || !code.startsWith('OAUTH_') || code === 'OAUTH_TIMEOUT') throw cause;
    throw new ProviderWrongError(`${code}: ${message}`, { cause });
  });
  // Where one address stands for many providers ("common" of Entra ID), the library takes each of them for it: any company could let in its people.
  const { issuer: named } = found.serverMetadata();
  if (URL.parse(named)?.href === server.href) return found;
  const shown = JSON.stringify(named.slice(0, 200));
  throw new ProviderWrongError(`the provider calls itself ${shown}: that has to stand in api.oidc.issuer`);
}

function authOf({ clientAuth }: OidcConfig, secret: string | undefined): ClientAuth {
  if (secret === undefined) return None();
  const ways = { basic: ClientSecretBasic(secret), post: ClientSecretPost(secret) };
  return (server, ...rest) => {
    // OpenID Connect Discovery 1.0 §3: what is not said is client_secret_basic.
    const { token_endpoint_auth_methods_supported: told = ['client_secret_basic'] } = server;
    const takesPostAlone = told.includes('client_secret_post') && !told.includes('client_secret_basic');
    ways[clientAuth ?? (takesPostAlone ? 'post' : 'basic')](server, ...rest);
  };
}
