import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { Cell } from './cells.ts';

/** Garbage collections so far, by kind. */
export interface Garbage {
  readonly seconds: readonly Cell<'kind', number>[];
  readonly runs: readonly Cell<'kind', number>[];
  stop(): void;
}

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
]);

/** Counts garbage collections and their time. */
export function countGarbage(): Garbage {
  const kinds = [...KINDS.values(), 'other'];
  const cells = () => kinds.map((kind) => ({ labels: { kind }, value: 0 }));
  const seconds = cells();
  const runs = cells();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Entries of this type carry it, which their general type does not say.
      const { duration, detail } = entry as typeof entry & { readonly detail?: { readonly kind?: number } };
      const kind = detail?.kind;
      const index = kinds.indexOf(KINDS.get(kind ?? -1) ?? 'other');
      const [time, run] = [seconds[index], runs[index]];
      if (time) time.value += duration / 1_000;
      if (run) run.value += 1;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return { seconds, runs, stop: () => observer.disconnect() };
}
