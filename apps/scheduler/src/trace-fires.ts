import { commitSpan, fireSpan, formatTraceparent, ownTrace, sendSpan } from '@jetbeat/core';
import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import type { NewJob } from '@jetbeat/postgres';
import { type SpanPlace, type Tracing, traceEach } from '@jetbeat/runtime';

/** The spans of schedules that fire: one trace per job, which begins here. */
export interface TraceFires {
  /** Puts a new job into its trace, if that is kept. Pure but for chance: it may be asked again for the same job. */
  begin(job: NewJob): NewJob;
  /** The jobs are in PostgreSQL. */
  committed(jobs: readonly NewJob[]): void;
  /** A publish that makes the spans. */
  traced(publish: Publish): Publish;
}

type Publish = (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;

interface Fired {
  readonly fire: SpanPlace;
  readonly send: SpanPlace;
  readonly decidedAt: number;
}

/** Composes the spans of firing. */
export function createTraceFires(tracing: Tracing): TraceFires {
  /** By the envelope, which a job keeps from its decision to its message. */
  const fires = new WeakMap<object, Fired>();
  return {
    begin(job) {
      const { traceId } = ownTrace(job.envelope.id);
      if (!tracing.samples(traceId)) return job;
      const place = (): SpanPlace => ({ traceId, spanId: tracing.newSpanId(), sampled: true });
      const fired = { fire: place(), send: place(), decidedAt: tracing.now() };
      fires.set(job.envelope, fired);
      return { ...job, traceparent: formatTraceparent(fired.send) };
    },
    committed(jobs) {
      const endedAt = tracing.now();
      for (const job of jobs) {
        const fired = fires.get(job.envelope);
        if (!fired) continue;
        const { fire, decidedAt: startedAt } = fired;
        tracing.emit({ text: fireSpan(job.envelope), place: fire, startedAt, endedAt });
        const place = { ...fire, spanId: tracing.newSpanId() };
        tracing.emit({ text: commitSpan(jobs.length), place, parent: fire, startedAt, endedAt });
      }
    },
    traced: (publish) =>
      traceEach({
        tracing,
        act: publish,
        spanOf(job: JobToPublish, result) {
          const fired = fires.get(job.envelope);
          if (!fired) return undefined;
          const error = result?.ok === false ? result.error.message : undefined;
          return { text: sendSpan(job.envelope), place: fired.send, parent: fired.fire, error };
        },
      }),
  };
}
