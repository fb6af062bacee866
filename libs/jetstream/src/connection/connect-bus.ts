import { readFile } from 'node:fs/promises';
import {
  AuthorizationError,
  credsAuthenticator,
  type NatsConnection,
  type TlsOptions,
} from '@nats-io/nats-core';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import { checkNamespace } from '../streams/names.ts';
import { type Bus, BusConnection } from './bus.ts';
import { BusUnreachableError } from './errors.ts';
import { type Log, silentLog } from './log.ts';
import { pause } from './pause.ts';

/** Where NATS is and who we are. */
export interface BusOptions {
  /** One or more addresses, comma separated, e.g. `nats://127.0.0.1:4222`; the first `user:password@` or `token@` goes for all. */
  readonly servers: string;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** One token before all names, so that installations can share a server. Default none. */
  readonly namespace?: string;
  /** Path of a credentials file. */
  readonly credsFile?: string;
  /** Path of the certificate authority's file; with it TLS is required. */
  readonly caFile?: string;
  readonly log?: Log;
  /** How long the first connect is tried, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Bound of one call to the server, in milliseconds. Default 5,000. */
  readonly callTimeoutMs?: number;
}

const RETRY_MS = 200;

/**
 * Connects to NATS. The first connect is tried for a bounded time; after that the connection comes back by itself.
 * @throws BusUnreachableError when there is no server, or it refuses the credentials
 * @throws InvalidInputError for a namespace that cannot be one
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const namespace = checkNamespace(options.namespace ?? '');
  const log = options.log ?? silentLog;
  const settings = await clientSettings(options);
  const nc = await firstConnect(settings, options);
  log.info({ server: nc.getServer(), version: nc.info?.version }, 'connected to NATS');
  return new BusConnection({ nc, namespace, log, callTimeoutMs: options.callTimeoutMs ?? 5_000 });
}

async function clientSettings(options: BusOptions): Promise<NodeConnectionOptions> {
  const { servers, user } = readServers(options.servers);
  let tls: TlsOptions | undefined;
  let authenticator: ReturnType<typeof credsAuthenticator> | undefined;
  try {
    if (options.caFile !== undefined) tls = { ca: await readFile(options.caFile, 'utf8') };
    if (options.credsFile !== undefined)
      authenticator = credsAuthenticator(await readFile(options.credsFile));
  } catch (cause) {
    throw new BusUnreachableError(
      `the credentials or the certificate for NATS cannot be read: ${textOf(cause)}`,
      { cause },
    );
  }
  return {
    servers,
    ...user,
    name: options.name,
    maxReconnectAttempts: -1,
    // A server that refuses us after it had taken us may be one that is still starting, or being changed.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 150,
    reconnectJitter: 100,
    reconnectJitterTLS: 100,
    timeout: 5_000,
    // A silent server is given up after 3 x 3 s.
    pingInterval: 3_000,
    maxPingOut: 2,
    ...(tls ? { tls } : {}),
    ...(authenticator ? { authenticator } : {}),
  };
}

/** Tries until the bound is over, unless the answer would not change. */
async function firstConnect(settings: NodeConnectionOptions, options: BusOptions): Promise<NatsConnection> {
  const bound = options.connectTimeoutMs ?? 10_000;
  const end = performance.now() + bound;
  for (;;) {
    try {
      const left = Math.max(100, end - performance.now());
      return await connect({ ...settings, timeout: Math.min(settings.timeout ?? left, left) });
    } catch (cause) {
      const where = withoutPassword(options.servers);
      if (cause instanceof AuthorizationError) {
        throw new BusUnreachableError(`NATS at ${where} refuses these credentials: ${cause.message}`, {
          cause,
        });
      }
      if (performance.now() + RETRY_MS >= end) {
        const message = `NATS at ${where} cannot be reached within ${bound} ms (${textOf(cause)}): is nats-server running there?`;
        throw new BusUnreachableError(message, { cause });
      }
      await pause(RETRY_MS);
    }
  }
}

/** Takes user and password out of the addresses: the client leaves them unread there. */
function readServers(list: string): {
  servers: string[];
  user: { user?: string; pass?: string; token?: string };
} {
  const servers = list
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '');
  const [, name, password] =
    /\/\/([^:@/]*)(?::([^@/]*))?@/.exec(servers.find((server) => server.includes('@')) ?? '') ?? [];
  const plain = servers.map((server) => server.replace(/\/\/[^@/]*@/, '//'));
  if (name === undefined) return { servers: plain, user: {} };
  const user = decoded(name);
  return {
    servers: plain,
    user: password === undefined ? { token: user } : { user, pass: decoded(password) },
  };
}

/** A password that was not encoded may hold a lone `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Addresses as they may be shown. */
function withoutPassword(servers: string): string {
  return servers.replace(/\/\/[^@/,]*@/g, '//***@');
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
