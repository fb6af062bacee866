import { BlockList, isIP, isIPv4 } from 'node:net';
import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';
import { OIDC_SECTION, type OidcConfig, oidcSection } from './config-oidc.ts';
import { RATE_LIMITS, type RequestRates, requestRates } from './config-rate-limits.ts';
import { SESSIONS, type SessionTimes, sessionTimes } from './config-sessions.ts';
import {
  CONNECTIONS,
  STREAMS,
  type StreamLimits,
  streamLimits,
  USUAL_CONNECTIONS,
} from './config-streams.ts';

const closed = { additionalProperties: false } as const;
const File = (description: string) => Type.String({ minLength: 1, maxLength: 4_096, description });

const TLS_SECTION = Type.Object(
  {
    cert: File('Path of the certificate, PEM, with those of the authorities in between.'),
    key: File('Path of its private key, PEM.'),
  },
  { ...closed, description: 'The API speaks https itself. Both files are read anew when they change.' },
);

/** What may be said of the API. */
export const API_SECTION = Type.Object(
  {
    tls: Type.Optional(TLS_SECTION),
    trustedProxies: Type.Optional(
      Type.Array(
        Type.String({
          minLength: 2,
          maxLength: 64,
          examples: ['10.0.0.0/8'],
          description: 'An address, or a range of them.',
        }),
        {
          maxItems: 256,
          default: [],
          description:
            'Proxies that end https and tell in `X-Forwarded-For` where a request came from. Others are believed nothing, and where the API speaks no https itself they are not answered.',
        },
      ),
    ),
    publicUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#@\\s]+/?$',
        maxLength: 512,
        examples: ['https://jetbeat.example.org'],
        description: 'Where people reach the API, as their browsers write it: without a path.',
      }),
    ),
    rateLimits: Type.Optional(RATE_LIMITS),
    connections: Type.Optional(CONNECTIONS),
    streams: Type.Optional(STREAMS),
    sessions: Type.Optional(SESSIONS),
    oidc: Type.Optional(OIDC_SECTION),
  },
  { ...closed, description: 'How the API is reached, and how often one may ask it.' },
);

/** What holds for the API, every default filled in. */
export interface ApiConfig {
  /** Paths of files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly trustedProxies: readonly string[];
  /** Without a slash at its end. */
  readonly publicUrl?: string;
  readonly rateLimits: RequestRates;
  /** Connections that may be open at once. */
  readonly connections: number;
  readonly streams: StreamLimits;
  readonly sessions: SessionTimes;
  /** Absent: nobody signs in with a provider. */
  readonly oidc?: OidcConfig;
}

/**
 * Fills in the defaults.
 * @throws ConfigError for proxies that are no addresses, for a range of everybody, for limits that cannot all hold, and for what is wrong with the provider of sign-ins
 */
export function apiSection(
  section: Static<typeof API_SECTION> | undefined,
  milliseconds: (duration: string) => number,
): ApiConfig {
  const { tls, trustedProxies = [], publicUrl, oidc, connections = USUAL_CONNECTIONS } = section ?? {};
  const wrong = trustedProxies.flatMap((text) => wrongRange(text) ?? []);
  if (wrong.length > 0)
    throw new ConfigError(wrong.map((why) => `api.trustedProxies (JETBEAT_TRUSTED_PROXIES): ${why}`));
  return {
    ...(tls ? { tls } : {}),
    trustedProxies,
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/$/, '') }),
    rateLimits: requestRates(section?.rateLimits, milliseconds),
    connections,
    streams: streamLimits(section?.streams, connections),
    sessions: sessionTimes(section?.sessions, milliseconds),
    ...(oidc ? { oidc: oidcSection(oidc) } : {}),
  };
}

const RANGE = /^([^/]+)(?:\/(\d{1,3}))?$/;

function wrongRange(text: string): string | undefined {
  const [, address = '', bits] = RANGE.exec(text) ?? [];
  const prefix = bits === undefined ? undefined : Number(bits);
  const isRight = isIP(address) !== 0 && (prefix === undefined || prefix <= (isIPv4(address) ? 32 : 128));
  if (!isRight) return `${JSON.stringify(text)} is no address and no range such as "10.0.0.0/8"`;
  return prefix === 0 ? `${JSON.stringify(text)} is everybody: name the proxies alone` : undefined;
}

/** Makes what tells whether an address is one of some ranges, as the configuration has them. */
export function addressesIn(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [, address = '', bits] = RANGE.exec(range) ?? [];
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  // An IPv4 address that came in over IPv6 is one of IPv4: BlockList knows that itself.
  return (address) => isIP(address) !== 0 && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
