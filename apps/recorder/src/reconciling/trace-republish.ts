import { formatTraceparent, ownTrace, parseTraceparent, sendSpan } from '@jetbeat/core';
import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import { type ItemSpan, type Tracing, traceEach } from '@jetbeat/runtime';

/** Publishes jobs; one answer for each, in the same order. */
export type Publish = (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;

interface Send {
  readonly job: JobToPublish;
  readonly span?: ItemSpan;
}

/**
 * A publish that makes a `send` span of each job whose trace is kept: a child of the span that its row carries, which may
 * have been published in vain, or never made by a process that ended before. So it is one of its own, and the message carries it.
 */
export function traceRepublish(tracing: Tracing, publish: Publish): Publish {
  const traced = traceEach<Send, PublishResult>({
    tracing,
    act: (sends) => publish(sends.map(({ job }) => job)),
    spanOf({ span }, result) {
      return span && { ...span, ...(result?.ok === false ? { error: result.error.message } : {}) };
    },
  });
  return (jobs) => traced(jobs.map((job) => begin(tracing, job)));
}

function begin(tracing: Tracing, job: JobToPublish): Send {
  const own = ownTrace(job.envelope.id);
  const carried = parseTraceparent(job.traceparent);
  const { traceId } = carried ?? own;
  if (!tracing.samples(traceId, carried)) return { job };
  const place = { traceId, spanId: tracing.newSpanId(), sampled: true };
  // Of a trace whose span is lost nobody has made the one that stands for it.
  const parent = carried?.spanId === own.spanId ? undefined : carried;
  return {
    job: { ...job, traceparent: formatTraceparent(place) },
    span: { text: sendSpan(job.envelope), place, parent },
  };
}
