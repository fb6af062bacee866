import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describeIssues, isTerminal, parseDuration } from '@jetbeat/core';
import { askResult } from '@jetbeat/jetstream';
import type { JobWithAttempts } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';

/** Requests that wait for the end of their job. */
export interface WaitingRequests {
  /** Waits for `waitMs` at most; not at all when too many wait already, or NATS is away. */
  forEnd(params: {
    readonly id: string;
    /** Whose share of the places it uses, as `holderOf` names it. */
    readonly holder: string;
    readonly waitMs: number;
    /** Nobody waits any more when its connection is gone. */
    readonly request: IncomingMessage;
  }): Promise<Waited>;
  /** Ends every wait, and lets none begin. */
  stop(): void;
}

/** What became of one that wanted to wait. */
interface Waited {
  /** The job; absent: it is not over. */
  readonly ended?: JobWithAttempts;
  /** Why it has not waited, where it could not. */
  readonly notWaited?: string;
}

/** Longest wait, milliseconds: proxies end requests that say nothing for longer. */
const MAX_WAIT_MS = 30_000;
const MAX_WAITING = 1_000;
/** Of them those of one holder: jobs that do not begin must not take the places of all others. */
const SHARE = 250;

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
  readonly most?: number;
  readonly share?: number;
}): WaitingRequests {
  const { messaging, look, most = MAX_WAITING, share = SHARE } = params;
  const held = new Map<string, number>();
  let waiting = 0;
  const whyNot = (holder: string): string | undefined => {
    if ((held.get(holder) ?? 0) >= share)
      return `${share} requests of this key, or of who is signed in, wait here already, which is their share`;
    return waiting >= most
      ? `${most} requests wait here already, which is as many as there may be`
      : undefined;
  };
  const stopping = new AbortController();
  // One listener for each that waits.
  setMaxListeners(0, stopping.signal);
  return {
    stop: () => stopping.abort(),
    async forEnd({ id, holder, waitMs, request }) {
      const bus = messaging()?.bus;
      if (!bus) return { notWaited: 'NATS does not answer' };
      if (stopping.signal.aborted) return { notWaited: 'this process stops' };
      const why = whyNot(holder);
      if (why !== undefined) return { notWaited: why };
      // It may have gone while its job was stored.
      if (request.socket.destroyed) return {};
      const gone = new AbortController();
      const onClose = () => gone.abort();
      request.socket.once('close', onClose);
      waiting++;
      held.set(holder, (held.get(holder) ?? 0) + 1);
      try {
        await askResult(bus, {
          id,
          timeoutMs: waitMs,
          signal: AbortSignal.any([gone.signal, stopping.signal]),
        });
      } finally {
        waiting--;
        const left = (held.get(holder) ?? 1) - 1;
        if (left > 0) held.set(holder, left);
        else held.delete(holder);
        request.socket.off('close', onClose);
      }
      const job = await look(id);
      return job && isTerminal(job.state) ? { ended: job } : {};
    },
  };
}
