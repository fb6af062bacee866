/** What makes the runs in threads and child processes part of the worker's traces. A place is said as a W3C `traceparent`. */
export interface RunsTracing {
  /** URL of a module that exports `openBoxTracing`, which answers with a `BoxTracing`. */
  readonly module: string;
  /** The span inside of which the caller runs. */
  traceparent(): string | undefined;
  /** Runs `fn` inside of a span that was made elsewhere. */
  within<T>(traceparent: string, fn: () => T): T;
  /** Takes spans that were sent. */
  take(sent: unknown): void;
}

/** The other side of it, in the thread or child process. */
export interface BoxTracing {
  within<T>(traceparent: string, fn: () => T): T;
  active(): string | undefined;
  /** Sends what is over. */
  flush(): void;
}

/** Opens it; what cannot be loaded costs the traces, not the run. */
export async function loadBoxTracing(
  url: string,
  send: (sent: unknown) => void,
): Promise<BoxTracing | undefined> {
  try {
    const module = (await import(url)) as { openBoxTracing(send: (sent: unknown) => void): BoxTracing };
    return module.openBoxTracing(send);
  } catch {
    return undefined;
  }
}
