import { type Event, ownTrace, recordSpan, type SettledEvent } from '@jetbeat/core';
import type { SpanPlace, Tracing } from '@jetbeat/runtime';

/** Makes the `record` spans: a child of each attempt whose trace is kept. */
export interface TraceRecords {
  /** Runs the transaction that writes `events`. */
  run<T>(events: readonly Event[], write: () => Promise<T>): Promise<T>;
}

interface Recording {
  readonly event: SettledEvent;
  readonly attempt: SpanPlace;
  readonly place: SpanPlace;
}

/** Composes the spans of recording. */
export function createTraceRecords(tracing: Tracing): TraceRecords {
  const emit = (one: Recording, first: Recording, span: Times & { count: number; error?: string }) => {
    const { event, attempt, place } = one;
    const { startedAt, endedAt, count, error } = span;
    tracing.emit({
      text: recordSpan({ id: event.job, runId: event.runId }, count),
      place,
      parent: attempt,
      // The statements are in the trace of the first; from the others a link leads there.
      ...(one === first ? {} : { links: [first.place] }),
      startedAt,
      endedAt,
      error,
    });
  };
  return {
    async run(events, write) {
      const recordings = events.flatMap((event) => {
        const attempt = attemptOf(event);
        return attempt ? [{ ...attempt, place: { ...attempt.attempt, spanId: tracing.newSpanId() } }] : [];
      });
      const [first] = recordings;
      if (!first) return write();
      const count = events.length;
      const startedAt = tracing.now();
      try {
        const written = await tracing.within(first, write);
        const endedAt = tracing.now();
        for (const one of recordings) emit(one, first, { startedAt, endedAt, count });
        return written;
      } catch (thrown) {
        // It is tried again until it succeeds; one of them is enough to show it.
        const error = thrown instanceof Error ? thrown.message : String(thrown);
        emit(first, first, { startedAt, endedAt: tracing.now(), count, error });
        throw thrown;
      }
    },
  };
}

interface Times {
  readonly startedAt: number;
  readonly endedAt: number;
}

function attemptOf(event: Event): Omit<Recording, 'place'> | undefined {
  if (event.kind !== 'settled' || event.span === undefined) return undefined;
  const traceId = event.traceId ?? ownTrace(event.job).traceId;
  return { event, attempt: { traceId, spanId: event.span, sampled: true } };
}
