import { isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** Groups of the part of an address that names a network. */
const NETWORK_GROUPS = 4;

/**
 * What counts as one address: an IPv4 address, also where it is written as an IPv6 one; of an IPv6 address the first 64 bits, since
 * one household or server has all addresses of such a network (RFC 6177).
 */
export function addressGroup(address: string): string {
  // Nearly all are of this kind.
  if (!address.includes(':')) return address;
  const [plain = ''] = address.split('%');
  const mapped = MAPPED.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
