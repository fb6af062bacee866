import { isIP } from 'node:net';
import { InvalidInputError } from '@jetbeat/core';

const LABEL = '[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?';
const HOST = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);

/** A list of hosts, prepared: whether a host is in it, by itself or, where that is enough, by a pattern. */
export interface HostNames {
  (host: string): boolean;
  /** Whether it is listed itself. */
  readonly exact: ReadonlySet<string>;
}

/**
 * Reads host names, addresses, and `*.example.org` for every name below it.
 * @param pointer where the list stands in the configuration
 * @throws InvalidInputError when an entry is none of them
 */
export function hostNames(entries: readonly string[], pointer: string): HostNames {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const host = canonicalHost(entry);
    if (isIP(host) === 0 && !HOST.test(host)) throw noHost(entry, `${pointer}/${index}`);
    if (host.startsWith('*.')) suffixes.push(host.slice(1));
    else exact.add(host);
  }
  const has = (given: string) => {
    const host = canonicalHost(given);
    return exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix) && isIP(host) === 0);
  };
  return Object.assign(has, { exact });
}

/** Lower case, no brackets, no dot at the end. */
export function canonicalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function noHost(entry: string, pointer: string): InvalidInputError {
  const message = `${JSON.stringify(entry)} is no host: write a name, an address, or *.example.org; no scheme, port or path`;
  return new InvalidInputError(message, [{ pointer, code: 'invalid_host', message }]);
}
