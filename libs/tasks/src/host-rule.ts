import { isIP } from 'node:net';
import { JetbeatError } from '@jetbeat/core';
import { type AddressKind, kindOf } from './address.ts';
import { canonicalHost, hostNames } from './host-names.ts';

/** Where `http.request` may go. */
export interface HttpAllowance {
  /** Host names or addresses, or `*.example.org` for every name below it. */
  readonly allowHosts: readonly string[];
  /** Allows 127/8, ::1, `localhost` and what ends in `.localhost`. */
  readonly allowLoopback: boolean;
  /** The configuration file in which this stands, for messages; `jetbeat.yaml` without it. */
  readonly file?: string;
}

/** A request to a place that the configuration does not allow; the message says which setting would. */
export class HostNotAllowedError extends JetbeatError {
  constructor(message: string) {
    super('http_not_allowed', message);
  }
}

/** Says where requests may go. Both answer with the reason against it, or nothing. */
export interface HostRule {
  /** Before anything is resolved. */
  refuseHost(host: string): HostNotAllowedError | undefined;
  /** For an address that the host stands for. */
  refuseAddress(host: string, address: string): HostNotAllowedError | undefined;
}

/**
 * Prepares the rule. Only what is listed is allowed; private addresses only for a host that is listed itself (a pattern
 * does not do), link-local ones only where the address itself is listed.
 * @throws InvalidInputError when an entry is no host, address or pattern
 */
export function hostRule(allowance: HttpAllowance): HostRule {
  const { file = 'jetbeat.yaml' } = allowance;
  const isListed = hostNames(allowance.allowHosts, '/http/allowHosts');
  const isLoopback = (host: string) =>
    /(^|\.)localhost$/.test(host) || (isIP(host) > 0 && kindOf(host) === 'loopback');
  return {
    refuseHost(given) {
      const host = canonicalHost(given);
      if (isLoopback(host)) return allowance.allowLoopback ? undefined : refuseLoopback(file, host);
      if (isListed(host)) return undefined;
      if (isIP(host) > 0 && kindOf(host) === 'unusable') return refuseUnusable(host, host);
      return new HostNotAllowedError(
        `${host} is not allowed: add it to http.allowHosts in ${file}, and restart the worker`,
      );
    },
    refuseAddress(given, address) {
      const host = canonicalHost(given);
      switch (kindOf(address)) {
        case 'public':
          return isLoopback(host)
            ? refuseKind(host, address, 'public', 'localhost must stay on this machine')
            : undefined;
        case 'loopback':
          return allowance.allowLoopback ? undefined : refuseLoopback(file, host, address);
        case 'private':
          if (isListed.exact.has(host)) return undefined;
          return refuseKind(
            host,
            address,
            'private',
            `list "${host}" itself in http.allowHosts in ${file} to allow that`,
          );
        case 'link-local':
          if (isListed.exact.has(canonicalHost(address)) && isIP(host) > 0) return undefined;
          return refuseKind(
            host,
            address,
            'link-local',
            `only the address itself, listed in http.allowHosts in ${file}, would allow that`,
          );
        case 'unusable':
          return refuseUnusable(host, address);
      }
    },
  };
}

function refuseLoopback(file: string, host: string, address?: string): HostNotAllowedError {
  const what =
    address === undefined || address === host ? 'is this machine' : `stands for this machine (${address})`;
  return new HostNotAllowedError(`${host} ${what}: set http.allowLoopback to true in ${file} to allow that`);
}

function refuseKind(host: string, address: string, kind: AddressKind, advice: string): HostNotAllowedError {
  const what =
    canonicalHost(address) === host
      ? `is ${kind === 'unusable' ? 'an' : 'a'} ${kind} address`
      : `stands for the ${kind} address ${address}`;
  return new HostNotAllowedError(`${host} ${what}: ${advice}`);
}

function refuseUnusable(host: string, address: string): HostNotAllowedError {
  return refuseKind(host, address, 'unusable', 'no setting allows that');
}
