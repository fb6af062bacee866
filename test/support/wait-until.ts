import { setTimeout as pause } from 'node:timers/promises';

/**
 * Looks again and again until `look` answers something else than `undefined` or `false`; for what tells nobody that it
 * has happened.
 * @throws an error with `what` and the last answer after `timeoutMs`
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 20_000, everyMs = 50 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    await pause(everyMs);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
}
