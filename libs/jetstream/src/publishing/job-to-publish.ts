import type { JetbeatError, JobEnvelope, Priority, UniqueAsk } from '@jetbeat/core';
import type { Arrival } from '../delivery/arrival.ts';

/** A job on its way into JOBS. */
export interface JobToPublish {
  readonly envelope: JobEnvelope;
  /** The envelope as JSON, where somebody has written it already. */
  readonly text?: string;
  /** How many bytes of text it has, about, where that is known. */
  readonly bytes?: number;
  /** W3C trace context; without a valid one the job is a trace of its own. */
  readonly traceparent?: string | undefined;
  /** The span before this run, as a `traceparent`; whoever traces the run links to it. */
  readonly link?: string | undefined;
  /** It was parked, and goes before what else waits with its priority. */
  readonly front?: boolean | undefined;
  /** By the lane of this priority; default: by that of its own. Once begun it counts for its own in any case. */
  readonly priority?: Priority | undefined;
  /** Of what was parked. */
  readonly arrival?: Arrival | undefined;
  /** Unix milliseconds: as a timer that fires then, replacing one of the same job. A time that has passed fires at once. */
  readonly at?: number;
  /** An earlier publish of the same may have succeeded: whoever takes it asks before it runs it. */
  readonly repeat?: boolean;
  /** What its call wants of its key; whoever publishes it has asked for the key before. */
  readonly unique?: UniqueAsk | undefined;
  /** Default: that of the envelope's position, so that a repeat within the duplicate window is stored once. */
  readonly messageId?: string;
}

/** What became of one job. `delayed`: it is a timer now, and `seq` is the timer's. */
export type PublishResult =
  | {
      readonly ok: true;
      readonly seq: number;
      readonly duplicate: boolean;
      readonly delayed: boolean;
      /** Nothing was published: it is over without. */
      readonly over?: true;
    }
  | { readonly ok: false; readonly error: JetbeatError };
