import { type PublishedEvent, parseTraceparent, publishedEvent } from '@jetbeat/core';
import type { Log } from '../connection/log.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { tellWithin } from './tell-within.ts';

/** Publishes jobs that a database has committed, behind the answer to whoever asked for them. */
export interface Publisher {
  /** Takes committed jobs. Never fails: what cannot be published now is published by the recorder's reconcile. */
  add(jobs: readonly JobToPublish[]): void;
  /** Jobs that are not published yet. */
  readonly waiting: number;
  /** The bytes of those that are not published yet, the ones on their way included, as far as they say how many they have. */
  readonly waitingBytes: number;
  /** False when a window has made no progress for 20 s. */
  readonly moving: boolean;
  /** Unix milliseconds. */
  readonly lastProgressAt: number;
  /** Publishes what it holds, for at most `timeoutMs`, and takes no more. */
  stop(timeoutMs: number): Promise<void>;
}

/** What was published: `seq` is the job's place in JOBS, unless it went out as a timer. */
export interface Published {
  readonly id: string;
  readonly seq?: number;
  /** Those who follow what happens may not have been told of it: it is to be noted where it is, and not that it was published. */
  readonly untold?: true;
}

/** What a publisher needs; its ports are those of an app. */
export interface PublisherParams {
  readonly publish: (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;
  /**
   * Tells those who follow what happens of what was published. It comes before the note: a job of which they may not have been told is
   * noted as such, and found by reconcile, which tells of it.
   */
  readonly tell: (events: readonly PublishedEvent[]) => Promise<unknown>;
  /** Notes in the database what was published, so that reconcile leaves it alone, or has only to tell of it. */
  readonly notePublished: (rows: readonly Published[]) => Promise<void>;
  readonly isConnected: () => boolean;
  readonly log: Pick<Log, 'warn'>;
  readonly clock: () => number;
  /** More than these would be old before their turn comes; default 10,000. */
  readonly maxQueued?: number;
}

/** A job that went out: what is told and noted of it, without its input. */
interface Sent {
  readonly row: Published;
  /** Absent: it is over, and was never published. */
  readonly event?: PublishedEvent;
}

/** Jobs that go to the server together. */
const WINDOW = 500;
/** Published jobs that may wait for their note, without their inputs; more than are published while one telling hangs. */
const MAX_UNNOTED = 20 * WINDOW;
/** One window is bounded by the publish itself (5 s), and one note by the database's own bound. */
const STUCK_AFTER_MS = 20_000;

/** Makes a publisher: one window at a time, and beside it, for all that went out meanwhile, one telling and one note. */
export function createPublisher(params: PublisherParams): Publisher {
  const { publish, notePublished, isConnected, log, clock, maxQueued = 10_000 } = params;
  const tell = tellWithin({ tell: params.tell, log });
  let queue: JobToPublish[] = [];
  let queuedBytes = 0;
  let sentBytes = 0;
  let running: Promise<void> | undefined;
  let sent: Sent[] = [];
  let noting: Promise<void> | undefined;
  let lastProgressAt = clock();
  let stopped = false;

  const forget = () => {
    queue = [];
    queuedBytes = 0;
  };
  const leaveToReconcile = (why: string) => {
    log.warn({ jobs: queue.length, why }, 'committed jobs are left to the recorder to publish');
    forget();
  };

  const publishWindow = async (window: readonly JobToPublish[]): Promise<Sent[]> => {
    if (window.length === 0) return [];
    const results = await publish(window);
    const failed = results.find((result) => !result.ok);
    if (failed) log.warn({ err: failed.error }, 'committed jobs could not be published: the recorder will');
    return window.flatMap(({ envelope, traceparent }, index) => {
      const { id } = envelope;
      const result = results[index];
      if (!result?.ok) return [];
      // A timer's sequence is not the one under which the job will be delivered.
      const row = result.delayed ? { id } : { id, seq: result.seq };
      if (result.over) return [{ row }];
      return [{ row, event: publishedEvent(envelope, parseTraceparent(traceparent)?.traceId) }];
    });
  };
  /** One after the other, so that what goes out meanwhile is one more. */
  const noteAll = async () => {
    while (sent.length > 0) {
      const all = sent;
      sent = [];
      try {
        const why = await tell(all.flatMap(({ event }) => event ?? []));
        await notePublished(all.map(({ row, event }) => (why && event ? { ...row, untold: true } : row)));
      } catch (error) {
        const text = 'published jobs could not be noted: reconcile will find them';
        log.warn({ err: error, jobs: all.length }, text);
      }
      lastProgressAt = clock();
    }
    noting = undefined;
  };
  const run = async () => {
    try {
      while (queue.length > 0) {
        if (!isConnected()) leaveToReconcile('NATS is away');
        const window = queue.splice(0, WINDOW);
        sentBytes = bytesOf(window);
        queuedBytes -= sentBytes;
        const published = await publishWindow(window);
        sent.push(...published);
        sentBytes = 0;
        lastProgressAt = clock();
        if (sent.length > 0) noting ??= noteAll();
        // What comes next need not wait for them, but memory has an end.
        if (sent.length > MAX_UNNOTED) await noting;
      }
    } catch (error) {
      log.warn({ err: error, jobs: queue.length }, 'publishing failed: the recorder will publish');
      forget();
    } finally {
      // At once: what is added from now on begins a run of its own.
      running = undefined;
      sentBytes = 0;
    }
  };

  return {
    add(jobs) {
      if (stopped || jobs.length === 0) return;
      if (queue.length + jobs.length > maxQueued) leaveToReconcile('too many wait for NATS');
      if (!running && !noting) lastProgressAt = clock();
      queue.push(...jobs);
      queuedBytes += bytesOf(jobs);
      running ??= run();
    },
    get waiting() {
      return queue.length;
    },
    get waitingBytes() {
      return queuedBytes + sentBytes;
    },
    get moving() {
      return (!running && !noting) || clock() - lastProgressAt < STUCK_AFTER_MS;
    },
    get lastProgressAt() {
      return lastProgressAt;
    },
    async stop(timeoutMs) {
      stopped = true;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      const done = async () => {
        await running;
        await noting;
      };
      await Promise.race([done(), late]);
      clearTimeout(timer);
      if (queue.length > 0) leaveToReconcile('the app stops');
    },
  };
}

function bytesOf(jobs: readonly JobToPublish[]): number {
  return jobs.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
