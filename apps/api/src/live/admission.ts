import type { StreamLimits } from '@jetbeat/runtime';
import { type Caller, holderOf } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

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
export function createAdmission(limits: Pick<StreamLimits, 'streams' | 'perCaller'>): Admission {
  const { streams, perCaller } = limits;
  const open = new Map<string, { readonly caller: Caller; count: number }>();
  /** How many somebody has, in all its sessions. */
  const held = new Map<string, number>();
  let count = 0;
  return {
    admit(caller) {
      const key = callerKey(caller);
      const holder = holderOf(caller);
      const own = open.get(key) ?? { caller, count: 0 };
      const has = held.get(holder) ?? 0;
      if (has >= perCaller) {
        const whose = caller.kind === 'key' ? 'this key' : 'whoever is signed in here';
        const message = `${whose} has ${has} streams open here, those of all its sessions counted: close one, or use one for all`;
        throw new ApiError('too_many_streams', message, { retryAfter: RETRY_AFTER });
      }
      if (count >= streams) {
        const message = `${count} streams are open here, which is as many as there may be: try again later`;
        throw new ApiError('overloaded', message, { retryAfter: RETRY_AFTER, counted: 'streams' });
      }
      own.count += 1;
      count += 1;
      open.set(key, own);
      held.set(holder, has + 1);
      let gone = false;
      return () => {
        if (gone) return;
        gone = true;
        own.count -= 1;
        count -= 1;
        if (own.count === 0) open.delete(key);
        const left = (held.get(holder) ?? 0) - 1;
        if (left > 0) held.set(holder, left);
        else held.delete(holder);
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
