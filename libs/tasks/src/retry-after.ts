/** Whatever a server says, nobody waits longer for it: one hour, in milliseconds. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date. A date is counted from the answer's own `Date` where
 * there is one, since the server's clock need not be ours.
 * @param now this machine's clock, Unix milliseconds
 * @returns milliseconds from 1 to `MAX_RETRY_AFTER_MS`; nothing where the header says nothing, or not later than now
 */
export function retryAfterMs(params: {
  readonly value: string | undefined;
  readonly date: string | undefined;
  readonly now: number;
}): number | undefined {
  const value = params.value?.trim() ?? '';
  const delay = /^\d{1,15}$/.test(value)
    ? Number(value) * 1_000
    : (httpDate(value) ?? Number.NaN) - (httpDate(params.date ?? '') ?? params.now);
  return delay > 0 ? Math.min(delay, MAX_RETRY_AFTER_MS) : undefined;
}

/** `Date.parse` reads much that is no HTTP date, a plain number for one. */
function httpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2},? [\w :-]{8,40}GMT$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
