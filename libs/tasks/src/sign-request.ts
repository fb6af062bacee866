import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { JetbeatError } from '@jetbeat/core';
import { Reject } from '@jetbeat/task';
import { hostNames } from './host-names.ts';
import { configured } from './not-configured.ts';

/** A secret, or the file that it is in. */
export interface SecretConfig {
  /** Whom it signs requests for, as `allowHosts` names them; absent: whomever requests may go to. */
  readonly hosts?: readonly string[];
  readonly secret?: string;
  readonly secretFile?: string;
}

/** The file of a secret cannot be read now; the next attempt may. */
class SecretUnreadableError extends JetbeatError {
  constructor(name: string, cause: unknown) {
    super('secret_unreadable', `the file of webhooks.secrets.${name} cannot be read, or is empty`, { cause });
  }
}

/** Makes the headers that sign one request. */
export type Sign = (request: {
  /** Of the secret. */
  readonly name: string;
  /** Whom the request goes to. */
  readonly host: string;
  readonly body: string;
  /** Unix milliseconds. */
  readonly now: number;
}) => Promise<Record<string, string>>;

/**
 * Prepares the secrets. The headers are `jetbeat-timestamp`, Unix seconds, and `jetbeat-signature`, `v1=` and the HMAC-SHA256 (RFC 2104)
 * of timestamp, a dot and the body, as hexadecimal digits. A secret in a file is read anew each time. Signing throws
 * OnPurposeError (rejected) when no secret of this name is configured, or not for this host, and SecretUnreadableError.
 * @throws InvalidInputError when a host of a secret is none
 */
export function createSign(secrets: Readonly<Record<string, SecretConfig>>): Sign {
  const signsFor = new Map(
    Object.entries(secrets).flatMap(([name, { hosts }]) =>
      hosts === undefined ? [] : [[name, hostNames(hosts, `/webhooks/secrets/${name}/hosts`)] as const],
    ),
  );
  return async ({ name, host, body, now }) => {
    const config = configured(secrets, name, 'webhooks.secrets');
    // Else whoever may enqueue would have any text signed, to be read at any host that requests may go to.
    if (signsFor.get(name)?.(host) === false)
      throw Reject(
        `webhooks.secrets.${name} signs nothing for ${host}: list it under its hosts to allow that`,
        {
          code: 'sign_not_allowed',
        },
      );
    const secret = await read(name, config);
    const timestamp = String(Math.floor(now / 1_000));
    const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    return { 'jetbeat-timestamp': timestamp, 'jetbeat-signature': `v1=${digest}` };
  };
}

async function read(name: string, { secret, secretFile }: SecretConfig): Promise<string> {
  if (secretFile === undefined) return secret ?? '';
  const text = await readFile(secretFile, 'utf8').catch((cause: unknown) => {
    throw new SecretUnreadableError(name, cause);
  });
  if (text.trim() === '') throw new SecretUnreadableError(name, undefined);
  return text.trim();
}
