import { formatTraceparent, parseTraceparent } from '@jetbeat/core';
import type { Tracing } from '@jetbeat/runtime';
import type { RunsTracing } from '@jetbeat/task';

/** Makes what runs in threads and child processes part of the worker's traces. */
export function createRunsTracing(tracing: Tracing): RunsTracing {
  return {
    module: tracing.boxes.module,
    traceparent() {
      const place = tracing.active();
      return place && formatTraceparent(place);
    },
    within(traceparent, fn) {
      const place = parseTraceparent(traceparent);
      return place ? tracing.within({ place }, fn) : fn();
    },
    take: (sent) => tracing.boxes.take(sent),
  };
}
