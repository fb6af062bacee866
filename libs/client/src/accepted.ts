import type { AcceptedEvent } from '@jetbeat/core';
import type { EventPublisher, JobToPublish, Log } from '@jetbeat/jetstream';

/** Tells history about jobs that JetStream has, in batches and beside the caller's way. */
export interface Accepted {
  /** Never rejects: without this event history begins with the job's first attempt. */
  tell(publish: JobToPublish, seq: number): Promise<void>;
  /** Resolves when there is room for more, or after `timeoutMs`. */
  room(timeoutMs: number): Promise<void>;
  /** Waits for what is on its way, at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** Jobs are told of over `events`, which it closes. */
export function createAccepted(events: EventPublisher, log: Log): Accepted {
  let untold = 0;
  return {
    async tell({ envelope, traceparent }, seq) {
      const event: AcceptedEvent = { kind: 'accepted', envelope, traceparent, seq };
      await events.publish(event).catch(() => {
        untold++;
      });
    },
    async room(timeoutMs) {
      if (!events.full) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      const off = events.onSpace(resolve);
      await promise;
      clearTimeout(timer);
      off();
    },
    async close(timeoutMs) {
      await events.close({ timeoutMs });
      if (untold > 0) {
        log.warn({ jobs: untold }, 'jobs were stored of which history will learn only when they run');
      }
    },
  };
}
