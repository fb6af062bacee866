import type { Caller } from '../access/caller.ts';
import { callerKey } from './admission.ts';

/** Whether those who listen still may. */
export interface CallerWatch {
  /** False when that is not known any more: then nothing is told to anybody until it is. */
  readonly isSure: boolean;
  /** Looks once. Resolves with those who may not any more, by `callerKey`. */
  look(callers: readonly Caller[]): Promise<ReadonlySet<string>>;
}

/**
 * How long an answer holds, from the moment it was asked for, milliseconds: a key that is revoked is told nothing later than that, on
 * any replica, also while PostgreSQL is away.
 */
const TRUST_MS = 900;

/**
 * @param params.stillMay those of the callers who still may, by `callerKey`
 * @param params.now milliseconds of a clock that is never set back
 */
export function watchCallers(params: {
  readonly stillMay: (callers: readonly Caller[]) => Promise<ReadonlySet<string>>;
  readonly now?: () => number;
}): CallerWatch {
  const { stillMay, now = () => performance.now() } = params;
  let sureAt = Number.NEGATIVE_INFINITY;
  return {
    get isSure() {
      return now() - sureAt < TRUST_MS;
    },
    async look(callers) {
      const askedAt = now();
      const may = callers.length === 0 ? new Set<string>() : await stillMay(callers);
      sureAt = askedAt;
      return new Set(callers.map(callerKey).filter((key) => !may.has(key)));
    },
  };
}
