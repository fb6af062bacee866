import { isIPv4 } from 'node:net';

/**
 * Whether a host is this machine by what it is called: nothing is looked up, since whoever answers the look-up could say anything.
 * @param host as `URL.hostname` has it
 */
export function isOwnMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
