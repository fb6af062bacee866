import type { ApiKeyRecord } from '@jetbeat/postgres';

/**
 * How long what was read of a key holds, from the moment it was asked for: a key that is revoked works that much longer, on every API. Nothing
 * holds longer while PostgreSQL is away either: then nobody gets in.
 */
const TRUST_MS = 900;
/** After this it is asked anew behind the request, so that none waits for it. */
const REFRESH_MS = 400;
const MAX_KEYS = 1_000;

/** Looks up a key; undefined when there is none of this id. */
export type FindKey = (id: string) => Promise<ApiKeyRecord | undefined>;

interface Known {
  key: ApiKeyRecord;
  askedAt: number;
  refreshing: boolean;
}

/**
 * Remembers keys for less than a second.
 * @param params.now milliseconds of a clock that is never set back
 */
export function createKnownKeys(params: { findKey: FindKey; now?: () => number }): FindKey {
  const { findKey, now = () => performance.now() } = params;
  const known = new Map<string, Known>();
  const asking = new Map<
    string,
    { readonly askedAt: number; readonly answer: Promise<ApiKeyRecord | undefined> }
  >();

  const ask = async (id: string, askedAt: number): Promise<ApiKeyRecord | undefined> => {
    const key = await findKey(id);
    known.delete(id);
    if (key === undefined) return undefined;
    // The one that was asked for longest ago goes first.
    const [oldest] = known.keys();
    if (known.size >= MAX_KEYS && oldest !== undefined) known.delete(oldest);
    known.set(id, { key, askedAt, refreshing: false });
    return key;
  };
  /** Of many requests with one key one asks; but nobody waits for a question so old that its answer would not hold. */
  const askOnce = (id: string): Promise<ApiKeyRecord | undefined> => {
    const askedAt = now();
    const before = asking.get(id);
    if (before && askedAt - before.askedAt < TRUST_MS) return before.answer;
    const answer = ask(id, askedAt).finally(() => {
      if (asking.get(id)?.answer === answer) asking.delete(id);
    });
    asking.set(id, { askedAt, answer });
    return answer;
  };

  return (id) => {
    const found = known.get(id);
    const age = found ? now() - found.askedAt : Number.POSITIVE_INFINITY;
    if (!found || age >= TRUST_MS) return askOnce(id);
    if (age >= REFRESH_MS && !found.refreshing) {
      found.refreshing = true;
      // One that fails is asked again by whoever comes when it holds no more.
      askOnce(id).catch(() => {});
    }
    return Promise.resolve(found.key);
  };
}
