import { type LookupAddress, type LookupAllOptions, lookup as resolveHost } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import type { HostRule } from './host-rule.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** Open connections to one origin; more requests wait for one. */
const CONNECTIONS = 128;

/** Asks for the addresses of a name, as `dns.lookup` does. */
export type Resolve = (host: string, options: LookupAllOptions, callback: ResolveCallback) => void;
type ResolveCallback = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** The connections of `http.request`. */
export interface HttpClient {
  readonly request: typeof request;
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
}

/**
 * Opens it. Every connection passes the rule at the address it goes to: a name is resolved once, and only what
 * was checked is connected to, so a name cannot change its meaning in between (DNS rebinding).
 */
export function openHttpClient(rule: HostRule, resolve: Resolve = resolveHost): HttpClient {
  const connector = buildConnector({
    lookup: guardedLookup(rule, resolve),
    timeout: CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
  });
  const agent = new Agent({
    connections: CONNECTIONS,
    connect(options, callback) {
      const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
      // An address is never looked up, so it is checked here.
      const refused =
        rule.refuseHost(host) ?? (isIP(host) === 0 ? undefined : rule.refuseAddress(host, host));
      if (refused) callback(refused, null);
      else connector(options, callback);
    },
  });
  return {
    request,
    dispatcher: agent,
    async close() {
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, CLOSE_TIMEOUT_MS);
      await Promise.race([agent.close().catch(() => undefined), timer.promise]);
      clearTimeout(timeout);
      await agent.destroy();
    },
  };
}

function guardedLookup(rule: HostRule, resolve: Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const allowed = found.filter(({ address }) => rule.refuseAddress(host, address) === undefined);
      const [first] = allowed;
      if (!first)
        return callback(
          rule.refuseAddress(host, found[0]?.address ?? '') ?? new Error(`${host} has no address`),
          '',
        );
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
