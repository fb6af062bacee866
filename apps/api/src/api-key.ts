import { createHash, timingSafeEqual } from 'node:crypto';

/** What a key allows; each role may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
/** What a key allows. */
export type Role = (typeof ROLES)[number];

/** A key as it is sent: `jb_<id>_<secret>`. */
export interface SentKey {
  readonly id: string;
  readonly secret: string;
}

const KEY = /^jb_([A-Za-z0-9]{1,32})_([A-Za-z0-9_-]{32,128})$/;

/** Reads a key; anything that has not its form is no key. */
export function parseKey(text: string): SentKey | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id && secret ? { id, secret } : undefined;
}

/** SHA-256 of a secret, hex. Secrets are random, so that a slow hash would protect nothing more. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether the secret has this hash, in a time that does not tell how much of it is right. */
export function hasHash(secret: string, hash: string): boolean {
  const expected = Buffer.from(hash, 'hex');
  const actual = Buffer.from(hashSecret(secret), 'hex');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Whether a key with role `has` may do what needs role `needs`. */
export function mayDo(has: Role, needs: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needs);
}
