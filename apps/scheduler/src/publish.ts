import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import type { NewJob } from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';

/** Publishes what was committed, beside the passes. */
export interface Publishing {
  /** Takes committed jobs; never fails, since the recorder publishes what is not published from here. */
  add(jobs: readonly NewJob[]): void;
  /** Jobs that are not published yet. */
  readonly waiting: number;
  /** Publishes what it has, for at most `timeoutMs`, and takes no more. */
  stop(timeoutMs: number): Promise<void>;
}

/** What publishing needs. */
export interface PublishingParams {
  readonly publish: (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;
  readonly notePublished: (rows: readonly { id: string; seq?: number }[]) => Promise<void>;
  readonly isConnected: () => boolean;
  readonly log: Pick<Log, 'warn'>;
}

/** Jobs on their way to the server at a time. */
const WINDOW = 500;
/** More than these would be old before their turn comes. */
const MAX_WAITING = 10_000;

/** Makes the publishing of one scheduler: one window of jobs after the other. */
export function createPublishing(params: PublishingParams): Publishing {
  const { publish, notePublished, isConnected, log } = params;
  let queue: NewJob[] = [];
  let running: Promise<void> | undefined;
  let stopped = false;

  const leave = (why: string, error?: unknown) => {
    if (queue.length > 0)
      log.warn(
        { err: error, jobs: queue.length, why },
        'dispatched jobs are left to the recorder to publish',
      );
    queue = [];
  };
  const run = async () => {
    while (queue.length > 0) {
      if (!isConnected()) return leave('NATS is away');
      const jobs = queue.splice(0, WINDOW);
      const results = await publish(jobs.map(({ envelope, traceparent }) => ({ envelope, traceparent })));
      const failed = results.find((result) => !result.ok);
      if (failed)
        log.warn({ err: failed.error }, 'dispatched jobs could not be published: the recorder will');
      const rows = jobs.flatMap(({ envelope: { id } }, index) => {
        const result = results[index];
        return result?.ok ? [{ id, seq: result.seq }] : [];
      });
      if (rows.length > 0) await notePublished(rows);
    }
  };
  const begin = () => {
    running ??= run()
      .catch((error: unknown) => leave('publishing failed', error))
      .finally(() => {
        running = undefined;
        if (queue.length > 0) begin();
      });
  };

  return {
    add(jobs) {
      if (stopped) return;
      if (queue.length + jobs.length > MAX_WAITING) leave('too many wait for NATS');
      queue.push(...jobs);
      begin();
    },
    get waiting() {
      return queue.length;
    },
    async stop(timeoutMs) {
      stopped = true;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([running, late]);
      clearTimeout(timer);
      leave('the scheduler stops');
    },
  };
}
