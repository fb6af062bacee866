import { MAX_QUEUES, TooManyQueuesError } from '@jetbeat/postgres';
import type { QueuePicture } from './queue-picture.ts';

/**
 * Whether there is room for queues that a worker is told to serve, which makes their consumers. While NATS does not answer none are made.
 * @throws TooManyQueuesError
 */
export function checkRoom({ lanes }: Pick<QueuePicture, 'lanes'>, added: readonly string[]): void {
  if (!lanes) return;
  const made = new Set(added.filter((queue) => !lanes.has(queue)));
  if (made.size > 0 && lanes.size + made.size > MAX_QUEUES) throw new TooManyQueuesError(MAX_QUEUES);
}
