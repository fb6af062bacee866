const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 2_000;

/**
 * Repeats `act` with back-off until it succeeds or `signal` aborts. For what must happen before a message may be
 * acknowledged: the only other way out is that the worker stops and the message is delivered again.
 * @throws the last error once the signal has aborted
 */
export async function untilDone<T>(params: {
  act: () => Promise<T>;
  signal: AbortSignal;
  onRetry: (error: unknown) => void;
}): Promise<T> {
  const { act, signal, onRetry } = params;
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted) throw error;
      onRetry(error);
      await pause(delay, signal);
      if (signal.aborted) throw error;
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
