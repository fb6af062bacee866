import { isIP } from 'node:net';

/**
 * What kind of place an address is: `public`; `loopback` (127/8, ::1); `private` (RFC 1918, RFC 6598 shared space,
 * RFC 4193 unique local); `link-local` (169.254/16, fe80::/10: cloud metadata lives there); `unusable` for the rest of
 * IANA's special-purpose registries (RFC 6890), such as 0.0.0.0 and multicast.
 */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'unusable';

type Range = readonly [base: string, prefix: number, kind: AddressKind];

const RANGES_4: readonly Range[] = [
  ['127.0.0.0', 8, 'loopback'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['169.254.0.0', 16, 'link-local'],
  ['0.0.0.0', 8, 'unusable'],
  ['192.0.0.0', 24, 'unusable'],
  ['192.0.2.0', 24, 'unusable'],
  ['198.18.0.0', 15, 'unusable'],
  ['198.51.100.0', 24, 'unusable'],
  ['203.0.113.0', 24, 'unusable'],
  ['224.0.0.0', 3, 'unusable'],
];

/** What of IPv6 carries an IPv4 address inside: it is as good as that address. The number: its first 16-bit group. */
const CARRIERS: readonly (readonly [base: string, prefix: number, group: number])[] = [
  ['::ffff:0:0', 96, 6],
  ['64:ff9b::', 96, 6],
  ['2002::', 16, 1],
];

const RANGES_6: readonly Range[] = [
  ['::1', 128, 'loopback'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['::', 96, 'unusable'],
  ['::ffff:0:0:0', 96, 'unusable'],
  ['64:ff9b:1::', 48, 'unusable'],
  ['100::', 64, 'unusable'],
  ['2001::', 23, 'unusable'],
  ['2001:db8::', 32, 'unusable'],
  ['3fff::', 20, 'unusable'],
  ['5f00::', 16, 'unusable'],
  ['fec0::', 10, 'unusable'],
  ['ff00::', 8, 'unusable'],
];

/** Tells the kind of an IPv4 or IPv6 address; anything else is `unusable`. */
export function kindOf(address: string): AddressKind {
  const bare = address.replace(/%.*$/, '');
  if (isIP(bare) === 4) return kindOf4(bare);
  if (isIP(bare) !== 6) return 'unusable';
  const value = bits6(bare);
  for (const [base, prefix, group] of CARRIERS) {
    if (matches(value, bits6(base), prefix, 128)) {
      const inner = Number((value >> BigInt(128 - 16 * (group + 2))) & 0xffff_ffffn);
      return kindOf4([24, 16, 8, 0].map((shift) => (inner >>> shift) & 0xff).join('.'));
    }
  }
  return RANGES_6.find(([base, prefix]) => matches(value, bits6(base), prefix, 128))?.[2] ?? 'public';
}

function kindOf4(address: string): AddressKind {
  const value = bits4(address);
  return RANGES_4.find(([base, prefix]) => matches(value, bits4(base), prefix, 32))?.[2] ?? 'public';
}

function matches(value: bigint, base: bigint, prefix: number, width: number): boolean {
  const shift = BigInt(width - prefix);
  return value >> shift === base >> shift;
}

function bits4(address: string): bigint {
  return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** The URL parser writes every IPv6 address in hex groups, also one with a dotted tail. */
function bits6(address: string): bigint {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
