import { type ApiConfig, ConfigError, isOwnMachine } from '@jetbeat/runtime';
import type { Door } from '../access/door.ts';
import { ATTEMPT_SECONDS } from './attempt-cookie.ts';
import { createOidc, type Oidc } from './oidc.ts';
import { createProvider, readClientSecret } from './provider.ts';
import { createSeal } from './sealed.ts';

/**
 * Lets people sign in with the provider of the configuration, if it has one. The provider itself is not asked yet.
 * @param params.secret the same for every replica: each can end what another one has begun
 * @throws ConfigError where browsers could not be sent back, or not safely, or the secret cannot be read
 */
export async function openOidc(params: {
  readonly api: ApiConfig;
  readonly door: Pick<Door, 'isOpen'>;
  readonly secret: () => Promise<Buffer>;
  readonly clock: () => number;
}): Promise<Oidc | undefined> {
  const { api, door, secret, clock } = params;
  const { oidc: config, publicUrl } = api;
  if (!config) return undefined;
  const url = publicUrl === undefined ? undefined : URL.parse(publicUrl);
  const isSafe = url ? url.protocol === 'https:' || isOwnMachine(url.hostname) : !door.isOpen;
  if (!isSafe)
    throw new ConfigError([
      'api.oidc needs api.publicUrl (JETBEAT_PUBLIC_URL) with https://: the provider sends browsers back there',
    ]);
  await readClientSecret(config).catch((cause: Error) => {
    throw new ConfigError([`api.oidc.clientSecretFile cannot be read: ${cause.message}`]);
  });
  const purpose = `jetbeat sign-in ${JSON.stringify([config.issuer, config.clientId])}`;
  const seal = createSeal({ secret: await secret(), purpose, lifeMs: ATTEMPT_SECONDS * 1_000, clock });
  return createOidc({ config, provider: createProvider({ config }), seal });
}
