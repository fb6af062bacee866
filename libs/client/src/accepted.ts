import type { AcceptedEvent, EndedEvent } from '@jetbeat/core';
import type { EventPublisher, JobToPublish, Log } from '@jetbeat/jetstream';

/** Tells history about jobs that JetStream has, in batches and beside the caller's way. */
export interface Accepted {
  /** Never rejects: without this event history begins with the job's first attempt. */
  tell(publish: JobToPublish, seq: number): Promise<void>;
  /** Tells of a job that this program has ended; rejects when it cannot be stored. */
  end(event: EndedEvent): Promise<unknown>;
  /** Where there is no room for more: resolves when there is, or after `timeoutMs`. */
  room(timeoutMs: number): Promise<void> | undefined;
  /** Waits for what is on its way, at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** Jobs are told of over `events`, which it closes. */
export function createAccepted(events: EventPublisher, log: Log): Accepted {
  let untold = 0;
  // Jobs whose events are stored together share a promise there, and here too.
  let last: Telling | undefined;
  return {
    tell({ envelope, traceparent, text }, seq) {
      const event: AcceptedEvent = { kind: 'accepted', envelope, traceparent, seq, text };
      const stored = events.publish(event);
      if (last?.stored !== stored) last = telling(stored, (jobs) => (untold += jobs));
      last.jobs++;
      return last.told;
    },
    end: (event) => events.publish(event),
    room: (timeoutMs) => (events.full ? space(events, timeoutMs) : undefined),
    async close(timeoutMs) {
      await events.close({ timeoutMs });
      if (untold > 0) {
        log.warn({ jobs: untold }, 'jobs were stored of which history will learn only when they run');
      }
    },
  };
}

/** Jobs that history is told of at once. */
interface Telling {
  readonly stored: Promise<unknown>;
  readonly told: Promise<void>;
  jobs: number;
}

function telling(stored: Promise<unknown>, onFailure: (jobs: number) => void): Telling {
  const told = stored.then(
    () => {},
    () => onFailure(made.jobs),
  );
  const made: Telling = { stored, told, jobs: 0 };
  return made;
}

async function space(events: EventPublisher, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  const off = events.onSpace(resolve);
  await promise;
  clearTimeout(timer);
  off();
}
