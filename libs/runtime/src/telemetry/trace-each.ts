import type { SpanWhole, Tracing } from './tracing.ts';

/** The span of one item, but for its times. */
export type ItemSpan = Omit<SpanWhole, 'startedAt' | 'endedAt'>;

/**
 * An act on several items at once that makes a span of each, all as long as the act.
 * @param params.spanOf undefined for an item that is not traced
 */
export function traceEach<Item, Result>(params: {
  readonly tracing: Pick<Tracing, 'now' | 'emit'>;
  readonly act: (items: readonly Item[]) => Promise<Result[]>;
  readonly spanOf: (item: Item, result: Result | undefined) => ItemSpan | undefined;
}): (items: readonly Item[]) => Promise<Result[]> {
  const { tracing, act, spanOf } = params;
  return async (items) => {
    const startedAt = tracing.now();
    const results = await act(items);
    const endedAt = tracing.now();
    for (const [index, item] of items.entries()) {
      const span = spanOf(item, results[index]);
      if (span) tracing.emit({ ...span, startedAt, endedAt });
    }
    return results;
  };
}
