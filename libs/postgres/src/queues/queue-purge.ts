import type { PurgeMark } from '@jetbeat/core';

/** A purge of a queue, and how far it is. Times in Unix milliseconds. */
export interface QueuePurge extends PurgeMark {
  /** When the stream was made whose sequence this is. */
  readonly streamCreated: number;
  /** Whether jobs that wait for their time go too. */
  readonly timers: boolean;
  readonly by: string;
  readonly at: number;
  /** Where the next step begins: `<place>:<sequence>`. */
  readonly cursor?: string;
  readonly removed: number;
  /** It is over. */
  readonly doneAt?: number;
}
