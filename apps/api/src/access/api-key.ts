import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

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
/** What a version that knows nothing of scopes and expiry cannot read: such a key is none there, and not one that may do more. */
const FORM = 'sha256:';
const HASH = /^(?:sha256:)?([0-9a-f]{64})$/;
/** That of no key. */
const NO_HASH = '0'.repeat(64);

/** Reads a key; anything that has not its form is no key. */
export function parseKey(text: string): SentKey | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id && secret ? { id, secret } : undefined;
}

/** A new key: its secret has 256 random bits. @param id at most 32 letters and digits; without it a new one */
export function makeKey(id = randomBytes(8).toString('hex')): SentKey & { readonly text: string } {
  const secret = randomBytes(32).toString('base64url');
  return { id, secret, text: `jb_${id}_${secret}` };
}

/** SHA-256 of a secret, hex. Secrets are random, so that a slow hash would protect nothing more. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** What is stored of the secret of a key that has more to it than a role. */
export function storedHash(secret: string): string {
  return `${FORM}${hashSecret(secret)}`;
}

/** The hash of the secret alone, of what is stored. */
export function bareHash(stored: string): string {
  return stored.startsWith(FORM) ? stored.slice(FORM.length) : stored;
}

/**
 * Whether the secret has this hash, in a time that tells neither how much of it is right nor whether there is a hash.
 * @param hash as it is stored; what has another form is that of no secret
 */
export function hasHash(secret: string, hash: string | undefined): boolean {
  const known = HASH.exec(hash ?? '')?.[1];
  const expected = Buffer.from(known ?? NO_HASH, 'hex');
  const isSame = timingSafeEqual(expected, Buffer.from(hashSecret(secret), 'hex'));
  return isSame && known !== undefined;
}

/** Whether a key with role `has` may do what needs role `needs`. */
export function mayDo(has: Role, needs: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needs);
}
