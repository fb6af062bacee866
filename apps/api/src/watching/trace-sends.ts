import { formatTraceparent, parseTraceparent, sendSpan } from '@jetbeat/core';
import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import { type SpanPlace, type Tracing, traceEach } from '@jetbeat/runtime';

/** The `send` spans of the jobs that requests make. Each is known before its job is stored, and made when it is published. */
export interface TraceSends {
  /** A place for the job's span inside of the request: what the job's row and message carry. */
  place(): { readonly traceparent: string; readonly parent: SpanPlace } | undefined;
  /** Remembers for what is published later from which request it came. */
  from(job: JobToPublish, parent: SpanPlace): JobToPublish;
  /** A publish that makes the spans. */
  traced(publish: Publish): Publish;
}

type Publish = (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;

/** Composes the spans of publishing. */
export function createTraceSends(tracing: Tracing): TraceSends {
  const parents = new WeakMap<JobToPublish, SpanPlace>();
  return {
    place() {
      const parent = tracing.active();
      if (!parent) return undefined;
      return { traceparent: formatTraceparent({ ...parent, spanId: tracing.newSpanId() }), parent };
    },
    from(job, parent) {
      if (parent.sampled) parents.set(job, parent);
      return job;
    },
    traced: (publish) =>
      traceEach({
        tracing,
        act: publish,
        spanOf(job: JobToPublish, result) {
          const parent = parents.get(job);
          const place = parent && parseTraceparent(job.traceparent);
          if (!place) return undefined;
          const error = result?.ok === false ? result.error.message : undefined;
          return { text: sendSpan(job.envelope), place, parent, error };
        },
      }),
  };
}
