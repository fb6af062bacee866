/** What a load process is asked to do. */
export type LoadCommand =
  /** Single `enqueue` calls, so many at a time, until there are `count`. */
  | { readonly kind: 'enqueue'; readonly count: number; readonly inFlight: number }
  /** One `enqueueMany` of so many jobs. With `failures` of the task that fails so often, one more for every second job. */
  | { readonly kind: 'many'; readonly count: number; readonly failures?: number }
  /** Single `enqueue` calls at fixed times, whether or not the earlier ones were answered; each job carries the round. */
  | { readonly kind: 'open-loop'; readonly rate: number; readonly count: number; readonly round: number }
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
  /** Of single calls, how long each took, milliseconds. */
  readonly calls?: readonly number[];
}
