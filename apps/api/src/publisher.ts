import type { JobToPublish, PublishResult } from '@jetbeat/jetstream';
import type { Check } from '@jetbeat/runtime';

/** Publishes what was committed, behind the answer to the caller. */
export interface Publisher {
  /** Takes a committed job. Never fails: what cannot be published now is published by the recorder's reconcile. */
  add(job: JobToPublish): void;
  /** Whether it gets on. */
  check(): Check;
  /** Publishes what it holds, for at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

/** Jobs that go to the server together. */
const WINDOW = 500;
/** One window is bounded by the publish itself (5 s), and one note by the database's own bound. */
const STUCK_AFTER_MS = 20_000;

/** Makes a publisher: one window at a time, and the note of one window beside the publish of the next. */
export function createPublisher(params: {
  publish: (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;
  notePublished: (rows: readonly { id: string; seq?: number }[]) => Promise<void>;
  isConnected: () => boolean;
  log: { warn(data: object, text: string): void };
  clock: () => number;
  maxQueued?: number;
}): Publisher {
  const { publish, notePublished, isConnected, log, clock, maxQueued = 10_000 } = params;
  let queue: JobToPublish[] = [];
  let running: Promise<void> | undefined;
  let lastProgressAt = clock();
  let stopped = false;

  const leaveToReconcile = (why: string) => {
    log.warn({ jobs: queue.length, why }, 'committed jobs are left to the recorder to publish');
    queue = [];
  };

  const publishWindow = async (window: readonly JobToPublish[]): Promise<{ id: string; seq?: number }[]> => {
    if (window.length === 0) return [];
    const results = await publish(window);
    const failed = results.find((result) => !result.ok);
    if (failed) log.warn({ err: failed.error }, 'committed jobs could not be published: the recorder will');
    return window.flatMap(({ envelope: { id } }, index) => {
      const result = results[index];
      if (!result?.ok) return [];
      // A timer's sequence is not the one under which the job will be delivered.
      return [result.delayed ? { id } : { id, seq: result.seq }];
    });
  };
  const note = async (rows: readonly { id: string; seq?: number }[]) => {
    if (rows.length === 0) return;
    await notePublished(rows).catch((error: unknown) => {
      log.warn(
        { err: error, jobs: rows.length },
        'published jobs could not be noted: reconcile will find them',
      );
    });
  };
  const run = async () => {
    let rows: { id: string; seq?: number }[] = [];
    while (queue.length > 0 || rows.length > 0) {
      if (queue.length > 0 && !isConnected()) leaveToReconcile('NATS is away');
      const window = queue.splice(0, WINDOW);
      const [published] = await Promise.all([publishWindow(window), note(rows)]);
      rows = published;
      lastProgressAt = clock();
    }
  };

  return {
    add(job) {
      if (stopped) return;
      if (queue.length >= maxQueued) leaveToReconcile('too many wait for NATS');
      if (!running) lastProgressAt = clock();
      queue.push(job);
      running ??= run()
        .catch((error: unknown) => {
          log.warn({ err: error, jobs: queue.length }, 'publishing failed: the recorder will publish');
          queue = [];
        })
        .finally(() => {
          running = undefined;
        });
    },
    check() {
      const ok = !running || clock() - lastProgressAt < STUCK_AFTER_MS;
      return { name: 'publisher', ok, detail: `${queue.length} waiting`, lastProgressAt };
    },
    async stop(timeoutMs) {
      stopped = true;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([running, late]);
      clearTimeout(timer);
    },
  };
}
