import { readToEnd } from '@jetbeat/jetstream';
import { connected } from '../jobs/reach-ports.ts';
import type { Messaging } from '../messaging.ts';

/** How long history may take to catch up, milliseconds. */
const CAUGHT_UP_MS = 1_000;

/** Tells why history may not have heard of all that has happened before; undefined: it has. Never rejects. */
export async function historyBehind(messaging: () => Messaging | undefined): Promise<string | undefined> {
  try {
    await readToEnd({ bus: connected({ messaging }).bus, timeoutMs: CAUGHT_UP_MS });
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `history may not have heard of all jobs yet: ${why}`;
  }
}
