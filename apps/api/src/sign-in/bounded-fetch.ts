import { JetbeatError } from '@jetbeat/core';
import { isOwnMachine } from '@jetbeat/runtime';
import type { CustomFetch } from 'openid-client';

/** Far more than any description, set of keys or token has; bytes. */
const MAX_BYTES = 1_048_576;

/** The provider does not answer, or says itself that it cannot now. */
export class ProviderAwayError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('provider_away', message, options);
  }
}

/**
 * How the provider is asked: by https, unless it is on this machine; for as long as the signal allows; and no answer is read beyond 1 MiB.
 * Redirects are not followed.
 */
export const boundedFetch: CustomFetch = async (url, options) => {
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== 'https:' && !isOwnMachine(hostname))
    throw new ProviderAwayError(`${origin} is asked by https alone`);
  const away = (cause: unknown) => new ProviderAwayError(`${origin} does not answer`, { cause });
  // What types of a fetch say of bodies is of the browser's one.
  const response = await fetch(url, options as RequestInit).catch((cause: unknown) => {
    throw away(cause);
  });
  const { status, statusText, headers } = response;
  const body = await read(response).catch((cause: unknown) => {
    throw cause instanceof ProviderAwayError ? cause : away(cause);
  });
  if (status >= 500) throw new ProviderAwayError(`${origin} answers ${status}`);
  return new Response(body.length === 0 ? null : body, { status, statusText, headers });
};

async function read(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > MAX_BYTES)
      throw new ProviderAwayError(`${response.url} answers more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
