/** Bounds of a worker, in milliseconds. */
export interface WorkerTimes {
  /** How long the recorder may take to answer a doubt. */
  readonly doubtMs: number;
  /** How long running jobs may take to end when the worker stops; then they are given back. By default as configured. */
  readonly drainMs: number;
  /** How long past its hard limit a handler may block the event loop before the process is ended. */
  readonly graceMs: number;
  /** How long past its hard limit a handler may keep a slot that all workers share before the process is ended. */
  readonly lingerMs: number;
}

/** What holds outside of tests. */
export const DEFAULT_TIMES: Omit<WorkerTimes, 'drainMs'> = {
  doubtMs: 5_000,
  graceMs: 30_000,
  lingerMs: 60_000,
};
