import { ownTrace } from '@jetbeat/core';
import type { Bus } from '@jetbeat/jetstream';
import type { EnqueuedJob, Warning } from './prepare.ts';
import { type ResultOptions, resultOf, type SentJob } from './result.ts';

/** Bytes of an id, and of a trace's. */
const SIZE = 16;

/** What many jobs of one task have in common, and their ids one after the other. */
interface Shelf {
  readonly task: string;
  readonly warnings: readonly Warning[];
  readonly ids: Buffer;
  /** The traces of those that were put into one; absent where all are traces of their own. */
  readonly traces: Buffer | undefined;
  /** By which their results are asked for. */
  readonly bus: Bus;
}

/**
 * Jobs of one task in a fifth of the memory that objects with texts take: a call may have a million, and most callers look
 * at few of them. What a job says of itself is made when it is asked for.
 */
export function keepJobs(task: string, jobs: readonly EnqueuedJob[], bus: Bus): SentJob[] {
  const [first] = jobs;
  if (!first) return [];
  const ids = Buffer.allocUnsafeSlow(jobs.length * SIZE);
  let traces: Buffer | undefined;
  for (let place = 0; place < jobs.length; place++) {
    const { id, traceId } = jobs[place] ?? first;
    const own = ownTrace(id).traceId;
    ids.write(own, place * SIZE, 'hex');
    if (traceId === own) continue;
    traces ??= Buffer.alloc(jobs.length * SIZE);
    traces.write(traceId, place * SIZE, 'hex');
  }
  const shelf: Shelf = { task, warnings: first.warnings, ids, traces, bus };
  return jobs.map((_, place) => new KeptJob(shelf, place));
}

/** One of them. */
class KeptJob implements SentJob {
  readonly #shelf: Shelf;
  readonly #place: number;

  constructor(shelf: Shelf, place: number) {
    this.#shelf = shelf;
    this.#place = place;
  }

  get id(): string {
    const hex = hexAt(this.#shelf.ids, this.#place);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  get task(): string {
    return this.#shelf.task;
  }

  get traceId(): string {
    const { ids, traces } = this.#shelf;
    // No trace has an id of zeros (W3C Trace Context, 3.2.2.3).
    const put = traces && hexAt(traces, this.#place);
    return put && !/^0+$/.test(put) ? put : hexAt(ids, this.#place);
  }

  get warnings(): readonly Warning[] {
    return this.#shelf.warnings;
  }

  get created(): boolean {
    return true;
  }

  result<Result = unknown>(options?: ResultOptions): Promise<Result> {
    return resultOf<Result>(this.#shelf.bus, this.id, options);
  }

  /** As an object of its own, for `JSON.stringify`. */
  toJSON(): EnqueuedJob {
    const { id, task, traceId, warnings, created } = this;
    return { id, task, traceId, warnings, created };
  }

  /** For `console.log`. */
  [Symbol.for('nodejs.util.inspect.custom')](): EnqueuedJob {
    return this.toJSON();
  }
}

function hexAt(bytes: Buffer, place: number): string {
  return bytes.toString('hex', place * SIZE, (place + 1) * SIZE);
}
