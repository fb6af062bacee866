import { randomBytes } from 'node:crypto';
import {
  FIRST_POSITION,
  formatTraceparent,
  type JobEnvelope,
  newTrace,
  type Priority,
  type SettledEvent,
  uuidV7,
} from '@jetbeat/core';
import type { Bus } from './connection/bus.ts';
import type { Delivery } from './delivery/delivery.ts';
import { type JobSource, openJobSource, type PullEnd } from './delivery/job-source.ts';
import type { PullRequest } from './delivery/puller.ts';
import type { JobToPublish } from './publishing/job-to-publish.ts';

/** A job for tests. */
export function testJob(facts: Partial<JobEnvelope> = {}): JobEnvelope {
  const now = Date.now();
  return {
    v: 1,
    id: uuidV7(now, randomBytes(10)),
    task: 'test.noop',
    queue: 'default',
    priority: 'normal',
    input: null,
    createdAt: now,
    runAt: now,
    ...FIRST_POSITION,
    ...facts,
  };
}

/** A job to publish for tests, with a trace of its own. */
export function toPublish(facts: Partial<JobEnvelope> = {}, how: Partial<JobToPublish> = {}): JobToPublish {
  return { envelope: testJob(facts), traceparent: formatTraceparent(newTrace(randomBytes(24))), ...how };
}

/** The event of a job that succeeded. */
export function settled(job: JobEnvelope, result?: unknown): SettledEvent {
  const { id, task, queue, priority, createdAt, runAt, attempt, run, parks } = job;
  return {
    kind: 'settled',
    job: id,
    task,
    queue,
    priority,
    createdAt,
    runAt,
    attempt,
    run,
    parks,
    runId: id,
    worker: 'w',
    outcome: 'succeeded',
    startedAt: createdAt,
    finishedAt: createdAt,
    next: { state: 'succeeded' },
    ...(result === undefined ? {} : { result }),
  };
}

/** A source whose deliveries and ends can be waited for. */
export class TestSource {
  readonly source: JobSource;
  readonly deliveries: Delivery[] = [];
  readonly ends: PullEnd[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(bus: Bus, options: { queue?: string; onDelivery?: (delivery: Delivery) => void } = {}) {
    const changed = () => {
      for (const check of this.#waiting) check();
    };
    this.source = openJobSource(bus, {
      queue: options.queue ?? 'default',
      onDelivery: (batch) => {
        this.deliveries.push(...batch);
        for (const delivery of batch) options.onDelivery?.(delivery);
        changed();
      },
      onPullEnd: (end) => {
        this.ends.push(end);
        changed();
      },
    });
  }

  /** Pulls, and waits for the next end of that priority. */
  async pull(request: PullRequest, priority: Priority = 'normal'): Promise<PullEnd> {
    const before = this.ends.length;
    this.source.pull(priority, request);
    await this.until(() => this.ends.length > before);
    const end = this.ends[before];
    if (!end) throw new Error('no end');
    return end;
  }

  /** Waits until `holds` is true; it is looked at with every delivery and end. Rejects after 20 s. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => holds() && resolve();
    const timer = setTimeout(() => {
      const { length } = this.deliveries;
      reject(
        new Error(
          `not within 20 s: ${holds}; ${length} deliveries, ends ${JSON.stringify(this.ends.slice(-3))}`,
        ),
      );
    }, 20_000);
    this.#waiting.add(check);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }
}
