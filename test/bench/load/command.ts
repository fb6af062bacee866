/**
 * What jobs an `enqueueMany` makes: no-ops; no-ops over 100 concurrency keys; no-ops in a thread or a child process; such as take 10 ms; no-ops with an input of
 * 256 KiB.
 */
export type ManyOf = 'noop' | 'keyed' | 'in-thread' | 'in-process' | 'wait' | 'large';

/** What a load process is asked to do. */
export type LoadCommand =
  /** Single `enqueue` calls, so many at a time, until there are `count`. */
  | { readonly kind: 'enqueue'; readonly count: number; readonly inFlight: number }
  /** One `enqueueMany` of so many jobs. With `failures` of the task that fails so often, one more for every second job. */
  | { readonly kind: 'many'; readonly count: number; readonly failures?: number; readonly of?: ManyOf }
  /** Single `enqueue` calls at fixed times, whether or not the earlier ones were answered; each job carries the round. */
  | {
      readonly kind: 'open-loop';
      readonly rate: number;
      readonly count: number;
      readonly round: number;
      readonly priority?: 'high';
    }
  /** One `enqueueMany` of jobs that run later: the first at `from` (Unix milliseconds), each other one `everyMs` after it. */
  | {
      readonly kind: 'delayed';
      readonly count: number;
      readonly from: number;
      readonly everyMs: number;
      readonly round: number;
    }
  /** `enqueue` and `result`, one job after the other. */
  | { readonly kind: 'results'; readonly count: number }
  /** `GET` of each path in turn at fixed times, whether or not the earlier ones were answered. */
  | {
      readonly kind: 'read';
      readonly url: string;
      readonly apiKey: string;
      readonly paths: readonly string[];
      readonly rate: number;
      readonly count: number;
    }
  /** `GET /events` with so many connections, until each that reads has heard of the end of `count` jobs. */
  | {
      readonly kind: 'streams';
      readonly url: string;
      readonly apiKey: string;
      readonly fast: number;
      readonly slow: number;
      readonly count: number;
    }
  /** `POST /jobs`, so many at a time. */
  | {
      readonly kind: 'post';
      readonly url: string;
      readonly apiKey: string;
      readonly count: number;
      readonly concurrency: number;
    };

/** What it answers. */
export interface LoadAnswer {
  /** From the first call until the last promise was kept. */
  readonly seconds: number;
  /** Unix milliseconds of the first call, with fractions. */
  readonly begun: number;
  /** Of single calls, how long each took, milliseconds; in their order where they were sent at fixed times. */
  readonly calls?: readonly number[];
  /** Of streams, what was told. */
  readonly told?: {
    readonly least: number;
    readonly most: number;
    readonly gapsOfFast: number;
    readonly slowWithGap: number;
  };
}
