import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describeIssues, isTerminal, parseDuration } from '@jetbeat/core';
import { askResult } from '@jetbeat/jetstream';
import type { JobWithAttempts } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';

/** Requests that wait for the end of their job. */
export interface WaitingRequests {
  /** The job when it is over; undefined when it is not within `waitMs`, when too many wait already, or NATS is away. */
  forEnd(params: {
    readonly id: string;
    readonly waitMs: number;
    /** Nobody waits any more when its connection is gone. */
    readonly request: IncomingMessage;
  }): Promise<JobWithAttempts | undefined>;
  /** Ends every wait, and lets none begin. */
  stop(): void;
}

/** Longest wait, milliseconds: proxies end requests that say nothing for longer. */
const MAX_WAIT_MS = 30_000;
const MAX_WAITING = 1_000;

/** How long a request asks to wait, milliseconds; one that asks wrongly is refused soon. */
export function waitsOf({ query }: { query: unknown }): number {
  const { wait } = query as { wait?: unknown };
  if (typeof wait !== 'string') return 0;
  try {
    return Math.min(parseDuration(wait, '?wait'), MAX_WAIT_MS);
  } catch {
    return 0;
  }
}

/**
 * Reads how long a request wants to wait, milliseconds.
 * @throws InvalidInputError, ApiError invalid_request
 */
export function readWait(wait: string | undefined): number | undefined {
  if (wait === undefined) return undefined;
  const waitMs = parseDuration(wait, '?wait');
  if (waitMs <= MAX_WAIT_MS) return waitMs;
  const issues = [
    {
      pointer: '?wait',
      code: 'invalid_value',
      message: `at most ${MAX_WAIT_MS / 1_000}s; ask again for the rest`,
    },
  ];
  throw new ApiError('invalid_request', describeIssues(issues), { issues });
}

/** Bounds them: whoever finds no place is answered at once that the job is accepted. */
export function createWaitingRequests(params: {
  readonly messaging: () => Pick<Messaging, 'bus'> | undefined;
  readonly look: (id: string) => Promise<JobWithAttempts | undefined>;
}): WaitingRequests {
  const { messaging, look } = params;
  let waiting = 0;
  const stopping = new AbortController();
  // One listener for each that waits.
  setMaxListeners(0, stopping.signal);
  return {
    stop: () => stopping.abort(),
    async forEnd({ id, waitMs, request }) {
      const bus = messaging()?.bus;
      if (!bus || waiting >= MAX_WAITING || stopping.signal.aborted) return undefined;
      // It may have gone while its job was stored.
      if (request.socket.destroyed) return undefined;
      const gone = new AbortController();
      const onClose = () => gone.abort();
      request.socket.once('close', onClose);
      waiting++;
      try {
        await askResult(bus, {
          id,
          timeoutMs: waitMs,
          signal: AbortSignal.any([gone.signal, stopping.signal]),
        });
      } finally {
        waiting--;
        request.socket.off('close', onClose);
      }
      const job = await look(id);
      return job && isTerminal(job.state) ? job : undefined;
    },
  };
}
