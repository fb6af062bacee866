import type { ApiKeyRecord } from '@jetbeat/postgres';

/**
 * How long what was read of a key or a session holds, from the moment it was asked for: what is revoked works that much longer, on every API. Nothing
 * holds longer while PostgreSQL is away either: then nobody gets in.
 */
const TRUST_MS = 900;
/** After this it is asked anew behind the request, so that none waits for it. */
const REFRESH_MS = 400;
const MAX_THINGS = 1_000;

/** Looks up a key, or whatever else lets somebody in; undefined when there is none of this id. */
export type Find<Thing> = (id: string) => Promise<Thing | undefined>;
/** Looks up a key. */
export type FindKey = Find<ApiKeyRecord>;

/** What is remembered for less than a second. */
export interface KnownThings<Thing> {
  readonly find: Find<Thing>;
  /** It has changed: nobody who comes from now on is told what was known of it here. */
  forget(id: string): void;
}

interface Known<Thing> {
  readonly thing: Thing;
  readonly askedAt: number;
  refreshing: boolean;
}

interface Question<Thing> {
  readonly askedAt: number;
  readonly answer: Promise<Thing | undefined>;
  /** It has changed since: the answer may be what it was before. */
  isOver: boolean;
}

/** Remembers keys for less than a second. @param params.now milliseconds of a clock that is never set back */
export function createKnownKeys({ findKey, now }: { findKey: FindKey; now?: () => number }): FindKey {
  return createKnown({ find: findKey, ...(now ? { now } : {}) }).find;
}

/**
 * Remembers things for less than a second; what there is not is never remembered.
 * @param params.now milliseconds of a clock that is never set back
 */
export function createKnown<Thing>(params: { find: Find<Thing>; now?: () => number }): KnownThings<Thing> {
  const { find, now = () => performance.now() } = params;
  const known = new Map<string, Known<Thing>>();
  const asking = new Map<string, Question<Thing>>();

  const remember = (id: string, thing: Thing | undefined, askedAt: number): void => {
    known.delete(id);
    if (thing === undefined) return;
    // The one that was asked for longest ago goes first.
    const [oldest] = known.keys();
    if (known.size >= MAX_THINGS && oldest !== undefined) known.delete(oldest);
    known.set(id, { thing, askedAt, refreshing: false });
  };
  /** Of many requests with one key one asks; but nobody waits for a question so old that its answer would not hold. */
  const askOnce = (id: string): Promise<Thing | undefined> => {
    const askedAt = now();
    const before = asking.get(id);
    if (before && askedAt - before.askedAt < TRUST_MS) return before.answer;
    const question: Question<Thing> = {
      askedAt,
      isOver: false,
      answer: find(id)
        .then((thing) => {
          if (!question.isOver) remember(id, thing, askedAt);
          return thing;
        })
        .finally(() => {
          if (asking.get(id) === question) asking.delete(id);
        }),
    };
    asking.set(id, question);
    return question.answer;
  };

  return {
    find(id) {
      const found = known.get(id);
      const age = found ? now() - found.askedAt : Number.POSITIVE_INFINITY;
      if (!found || age >= TRUST_MS) return askOnce(id);
      if (age >= REFRESH_MS && !found.refreshing) {
        found.refreshing = true;
        // One that fails is asked again by whoever comes when it holds no more.
        askOnce(id).catch(() => {});
      }
      return Promise.resolve(found.thing);
    },
    forget(id) {
      const question = asking.get(id);
      if (question) question.isOver = true;
      asking.delete(id);
      known.delete(id);
    },
  };
}
