import { AsyncLocalStorage } from 'node:async_hooks';

const HOLDER = new AsyncLocalStorage<string>();

/**
 * Runs `fn`, and all that it begins, on behalf of somebody: what it searches for takes of the share of that holder. A count that several ask
 * for together is of whoever has begun it.
 */
export function askingFor<T>(holder: string, fn: () => T): T {
  return HOLDER.run(holder, fn);
}

/** On whose behalf this runs; undefined: nobody has asked, as in a background pass. */
export function askedBy(): string | undefined {
  return HOLDER.getStore();
}
