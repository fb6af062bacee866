import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Keeps texts with somebody else: nobody can read or change them, and each is good for some time. */
export interface Seal {
  close(text: string): string;
  /** Undefined for what is not of this seal, was changed, or is too old. */
  open(sealed: string): string | undefined;
}

/** As NIST SP 800-38D has them for AES-GCM; bytes. */
const NONCE = 12;
const TAG = 16;
const KEY = 32;
const FORM = /^[\w-]{38,4000}$/;

/**
 * Makes a seal: AES-256-GCM with a key of its own, which every replica that has the secret makes alike (RFC 5869).
 * @param params.purpose what it is for: nothing that is sealed for something else is taken for it
 * @param params.clock Unix milliseconds, on every replica nearly alike
 */
export function createSeal(params: {
  readonly secret: Buffer;
  readonly purpose: string;
  readonly lifeMs: number;
  readonly clock: () => number;
}): Seal {
  const { secret, purpose, lifeMs, clock } = params;
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, KEY));
  return {
    close(text) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = [cipher.update(`${clock() + lifeMs}\n${text}`, 'utf8'), cipher.final()];
      return Buffer.concat([nonce, ...body, cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed) {
      if (!FORM.test(sealed)) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAuthTag(bytes.subarray(-TAG));
      try {
        const whole =
          decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
        const end = whole.indexOf('\n');
        return Number(whole.slice(0, end)) > clock() ? whole.slice(end + 1) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
