import { JetbeatError } from '@jetbeat/core';
import type { FromBox, ToBox } from './messages.ts';

/** What ran a handler, apart from the worker, has ended while it ran; `message` says how. */
export class ChildLostError extends JetbeatError {
  constructor(how: string) {
    super('child_lost', how);
  }
}

/** A thread or a child process in which attempts are made one after the other, seen from the worker. */
export interface Box {
  /** Resolves when it takes runs. Never rejects: a box that cannot start has ended. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone, and with it all that a handler has started in its process group; says how it ended. */
  readonly ended: Promise<ChildLostError>;
  /** Whether it has ever been ready. */
  readonly started: boolean;
  /** Whether it is there, and nobody has begun to end it. */
  readonly alive: boolean;
  send(message: ToBox): void;
  /** Calls `listener` with what it says, in place of the one before. */
  listen(listener: ((message: FromBox) => void) | undefined): void;
  /** Ends it whatever it does. */
  kill(): void;
  /** Lets it end by itself; after 2 s it is killed. */
  close(): void;
}

/** How long a box may take to start, and again to load a task, milliseconds. */
export const START_MS = 30_000;
/** How long a box may take to end by itself, milliseconds. */
export const CLOSE_MS = 2_000;
