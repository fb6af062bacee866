import { isIP } from 'node:net';
import { addressesIn } from '@jetbeat/runtime';
import type { FastifyRequest } from 'fastify';

const WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/;
const IN_BRACKETS = /^\[([^\]]+)\](?::\d{1,5})?$/;

/**
 * The address in an entry of `X-Forwarded-For`; undefined where there is none. Some proxies write the port of the connection behind it, by
 * which every connection would be somebody else (as RFC 7239 §6 writes both).
 */
function plainAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const plain = WITH_PORT.exec(trimmed)?.[1] ?? IN_BRACKETS.exec(trimmed)?.[1] ?? trimmed;
  return isIP(plain) === 0 ? undefined : plain;
}

/** Where a request came from, as limits count it and the audit names it. */
export function callerAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  // What a trusted proxy says instead of an address ("unknown") tells nobody apart: then it is the proxy's own.
  return plainAddress(ip) ?? socket.remoteAddress ?? '';
}

/** Makes what says whether an entry of `X-Forwarded-For` is a trusted proxy, which is asked where it has it from. */
export function trustIn(proxies: readonly string[]): (address: string) => boolean {
  const isProxy = addressesIn(proxies);
  return (address) => {
    const plain = plainAddress(address);
    return plain !== undefined && isProxy(plain);
  };
}
