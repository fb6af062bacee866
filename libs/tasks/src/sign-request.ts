import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { JetbeatError } from '@jetbeat/core';
import { configured } from './not-configured.ts';

/** A secret, or the file that it is in. */
export interface SecretConfig {
  readonly secret?: string;
  readonly secretFile?: string;
}

/** The file of a secret cannot be read now; the next attempt may. */
class SecretUnreadableError extends JetbeatError {
  constructor(name: string, cause: unknown) {
    super('secret_unreadable', `the file of webhooks.secrets.${name} cannot be read, or is empty`, { cause });
  }
}

/**
 * The headers that sign a request: `jetbeat-timestamp`, Unix seconds, and `jetbeat-signature`, `v1=` and the HMAC-SHA256 (RFC 2104)
 * of timestamp, a dot and the body, as hexadecimal digits. A secret in a file is read anew each time.
 * @param params.now Unix milliseconds
 * @throws OnPurposeError (rejected) when no secret of this name is configured, SecretUnreadableError
 */
export async function signatureHeaders(params: {
  readonly secrets: Readonly<Record<string, SecretConfig>>;
  readonly name: string;
  readonly body: string;
  readonly now: number;
}): Promise<Record<string, string>> {
  const { secrets, name, body, now } = params;
  const secret = await read(name, configured(secrets, name, 'webhooks.secrets'));
  const timestamp = String(Math.floor(now / 1_000));
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'jetbeat-timestamp': timestamp, 'jetbeat-signature': `v1=${digest}` };
}

async function read(name: string, { secret, secretFile }: SecretConfig): Promise<string> {
  if (secretFile === undefined) return secret ?? '';
  const text = await readFile(secretFile, 'utf8').catch((cause: unknown) => {
    throw new SecretUnreadableError(name, cause);
  });
  if (text.trim() === '') throw new SecretUnreadableError(name, undefined);
  return text.trim();
}
