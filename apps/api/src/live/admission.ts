import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

/** How many streams there may be. */
export interface StreamLimits {
  /** In this process. */
  readonly streams: number;
  /** Of one key, or one session. */
  readonly perCaller: number;
}

/** Who has streams open here. */
export interface Admission {
  /**
   * Takes one more in. Returns how to let it go.
   * @throws ApiError too_many_streams, overloaded
   */
  admit(caller: Caller): () => void;
  /** One for each key or session that has any. */
  readonly callers: readonly Caller[];
  readonly count: number;
}

/** Seconds. */
const RETRY_AFTER = 10;

/** Counts streams. */
export function createAdmission({ streams, perCaller }: StreamLimits): Admission {
  const open = new Map<string, { readonly caller: Caller; count: number }>();
  let count = 0;
  return {
    admit(caller) {
      const key = callerKey(caller);
      const own = open.get(key) ?? { caller, count: 0 };
      if (own.count >= perCaller) {
        const message = `this ${caller.kind} has ${own.count} streams open here: close one, or use one for all`;
        throw new ApiError('too_many_streams', message, { retryAfter: RETRY_AFTER });
      }
      if (count >= streams) {
        const message = `${count} streams are open here, which is as many as there may be: try again later`;
        throw new ApiError('overloaded', message, { retryAfter: RETRY_AFTER });
      }
      own.count += 1;
      count += 1;
      open.set(key, own);
      let gone = false;
      return () => {
        if (gone) return;
        gone = true;
        own.count -= 1;
        count -= 1;
        if (own.count === 0) open.delete(key);
      };
    },
    get callers() {
      return [...open.values()].map(({ caller }) => caller);
    },
    get count() {
      return count;
    },
  };
}

/** Who it is, as text. A key whose secret was replaced is another one. */
export function callerKey({ kind, id, hash = '' }: Pick<Caller, 'kind' | 'id' | 'hash'>): string {
  return `${kind} ${id} ${hash}`;
}
