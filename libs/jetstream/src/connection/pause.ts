/** Waits; ends early when `signal` is aborted. Never rejects, leaves no timer behind. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Resolves with `promise`, or with `undefined` after `ms`; a later rejection of it is nobody's concern then. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const end = new AbortController();
  promise.catch(() => {});
  try {
    return await Promise.race([promise, pause(ms, end.signal).then(() => undefined)]);
  } finally {
    end.abort();
  }
}
