import {
  factsOf,
  type JobEnvelope,
  type JobFacts,
  orderOf,
  PHASES,
  type Position,
  traceOf,
} from '@jetbeat/core';
import type { Arrival, Delivery } from '@jetbeat/jetstream';
import { Interrupt } from '@jetbeat/task';
import { age, type Instant, instant } from './ends/own-retries.ts';
import type { AttemptTrace } from './running/attempt-trace.ts';

/** Where a held job stands: asked about, asking for a slot of its key, waiting to run, its handler running, or its outcome being stored. */
type HeldPhase = 'asking' | 'claiming' | 'waiting' | 'running' | 'settling';

/** How long a next step is kept back, milliseconds. */
const KEEP_NEXT_MS = 100;

/** A job that this worker holds, from its delivery to its acknowledgement. */
export class Held {
  /** As delivered; `run` is raised when the recorder says that earlier runs were lost. */
  job: JobEnvelope;
  phase: HeldPhase = 'waiting';
  /** Every message of this step that has come in; usually one. All are acknowledged together. */
  readonly deliveries: Delivery[];
  /** When its first message was received. */
  readonly since: Instant;
  /** By which the keep-alive thread knows the deliveries. */
  readonly kept: number[] = [];
  /** As delivered; absent: the job is a trace of its own. */
  readonly traceparent: string | undefined;
  /** It was in doubt: its start has to be stored before it runs. */
  suspect: boolean;
  /** It was parked, and is no suspect only since its slot or its start says whether it has been run. */
  readonly mustProve: boolean;
  /** It may leave something behind from an earlier lineage: a timer, a parking place. */
  traced: boolean;
  /** Set when the handler begins. */
  runId = '';
  /** Unix milliseconds; set when the handler begins. */
  startedAt: number | undefined = undefined;
  /** The slot of its concurrency key, and the lease under which it is held; `here`: it was kept for this step while that was parked for the key. */
  slot: { readonly hash: string; readonly lease: string; readonly here: boolean } | undefined = undefined;
  /** It has a slot of its queue, which has a limit. */
  queueSlot = false;
  /** The start of its queue's rate that it has, and has not used, Unix milliseconds; infinite: that has no rate. */
  queueStart: number | undefined = undefined;
  /** Until when the start of its rate may be used, Unix milliseconds. */
  beginBy: number | undefined = undefined;
  /** In doubt, and nobody else can have begun this step without a question. */
  isFresh: boolean;
  /** The recorder has said that nobody has run this step, or runs it. */
  granted = false;
  /** Its handler was given up and runs on. */
  lingers = false;
  /** It is being parked, and takes no room from what may run. */
  parks = false;
  /** A start event is stored or on its way. */
  startTold = false;
  /** Somebody has cancelled the job while it ran, and why. */
  cancelled: string | undefined = undefined;
  /** Present where tracing is on, from when the handler begins. */
  trace: AttemptTrace | undefined = undefined;
  /** The next step, which came before this one was settled here, and when. */
  #next: { readonly delivery: Delivery; readonly at: Instant } | undefined;
  /** Aborted when the worker gives the job back. */
  readonly interrupt = new Interrupt();

  constructor(params: {
    job: JobEnvelope;
    delivery: Delivery;
    since: Instant;
    suspect: boolean;
    traced: boolean;
    mustProve?: boolean;
    isFresh?: boolean;
  }) {
    this.job = params.job;
    this.deliveries = [params.delivery];
    this.since = params.since;
    this.traceparent = params.delivery.traceparent;
    this.suspect = params.suspect;
    this.traced = params.traced;
    this.mustProve = params.mustProve === true;
    this.isFresh = params.isFresh === true;
  }

  /** A slot of its key may be kept for it: it was parked, and has none here yet. */
  get mayBeKept(): boolean {
    return this.job.parks > 0 && this.job.policy?.concurrency !== undefined && this.slot === undefined;
  }

  /** It runs under a slot that all workers share. */
  get isLimited(): boolean {
    return this.slot !== undefined || this.queueSlot;
  }

  get traceId(): string {
    return traceOf({ id: this.job.id, traceparent: this.traceparent }).traceId;
  }

  /** The span before this run, as a `traceparent`. */
  get link(): string | undefined {
    return this.deliveries[0]?.link;
  }

  /** How it came to its queue, before it was parked for the first time. */
  get arrival(): Arrival | undefined {
    const [delivery] = this.deliveries;
    return delivery && (delivery.arrival ?? { seq: delivery.seq, storedAt: delivery.storedAt });
  }

  /** What the job's next message carries of its trace. */
  get carried(): { readonly traceparent: string | undefined; readonly link: string | undefined } {
    const { traceparent, link } = this;
    return this.trace?.carried ?? { traceparent, link };
  }

  /** The trace that it was put into; its own goes without saying. */
  get foreignTraceId(): string | undefined {
    return this.traceparent === undefined ? undefined : this.traceId;
  }

  /** Keeps the next step back until this one is settled, which is a matter of moments; false when one is kept already. */
  keepNext(delivery: Delivery): boolean {
    if (this.phase !== 'settling' || this.#next) return false;
    this.#next = { delivery, at: instant() };
    return true;
  }

  /** Hands over what was kept back; it was extended by nobody, so what has waited for long is given back instead. */
  releaseNext(): Delivery | undefined {
    const next = this.#next;
    this.#next = undefined;
    if (!next || age(next.at, instant()) <= KEEP_NEXT_MS) return next?.delivery;
    next.delivery.nak();
    return undefined;
  }

  /** What each event says of the job. */
  facts(job: JobEnvelope = this.job): JobFacts {
    return factsOf(job, this.foreignTraceId, this.deliveries[0]?.seq);
  }
}

/**
 * A message of a job that is held already. The same step: the newest delivery of a message is the one whose
 * acknowledgement counts, and another message of the same step is acknowledged with it.
 * @returns false when it is a later step, which has to wait until this one is settled
 */
export function adopt(held: Held, delivery: Delivery, position: Position): boolean {
  if (orderOf(position, PHASES.queued) > orderOf(held.job, PHASES.settled)) return false;
  const index = held.deliveries.findIndex((known) => known.seq === delivery.seq);
  if (index >= 0) held.deliveries[index] = delivery;
  else held.deliveries.push(delivery);
  held.traced = true;
  return true;
}

/**
 * A step that was parked for its key, of which there is one message, and no attempt before it: what it may have left in its
 * parking place is looked for when its slot is given on.
 */
export function neverBegan({ slot, suspect, deliveries, job: { attempt, run } }: Held): boolean {
  return slot?.here === true && !suspect && deliveries.length === 1 && attempt === 1 && run === 1;
}

/** Losses count in history, which may know of fewer than the message when it was lost itself. */
export function freed(job: JobEnvelope, { run, losses }: { run: number; losses: number }): JobEnvelope {
  const most = Math.max(losses, job.losses ?? 0);
  return { ...job, run, ...(most === 0 ? {} : { losses: most }) };
}
