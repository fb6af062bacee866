import {
  type Bus,
  type DeadMessage,
  deadMessage,
  deleteDeadMessage,
  findDeadJob,
  malformedMessages,
} from '@jetbeat/jetstream';
import type { JobRecord } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';

/** What dead letters ask of JetStream. All throw ApiError `messaging_unavailable` where NATS does not answer. */
export interface DeadPorts {
  /** Messages that never were a job, oldest first. */
  malformed: (params: {
    from: number;
    limit: number;
    queue?: string;
    queues?: readonly string[] | undefined;
  }) => Promise<{ readonly messages: readonly DeadMessage[]; readonly next?: number }>;
  /** One of them. */
  message(seq: number): Promise<DeadMessage | undefined>;
  /** The dead letter of a job; undefined when it is gone. */
  ofJob(job: JobRecord): Promise<DeadMessage | undefined>;
  remove(seq: number): Promise<boolean>;
}

/** Dead letters on the real server. `messaging` is undefined while NATS has not answered yet. */
export function createDeadPorts(messaging: () => Messaging | undefined): DeadPorts {
  const bus = (): Bus => {
    const found = messaging()?.bus;
    if (found?.connected) return found;
    throw new ApiError('messaging_unavailable', 'NATS does not answer; repeat later', { retryAfter: 5 });
  };
  return {
    malformed: async (params) => malformedMessages(bus(), params),
    message: async (seq) => deadMessage(bus(), seq),
    ofJob: async ({ id, queue, task, finishedAt = 0 }) =>
      findDeadJob(bus(), { id, queue, task, since: finishedAt }),
    remove: async (seq) => deleteDeadMessage(bus(), seq),
  };
}
