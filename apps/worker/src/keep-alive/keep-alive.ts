import { Worker } from 'node:worker_threads';
import type { WorkerEvent } from '@jetbeat/core';
import type { BusOptions } from '@jetbeat/jetstream';
import { LeaseMemory } from '../limits/lease-memory.ts';
import { createWorkerLease, type WorkerLease } from '../limits/worker-lease.ts';
import { toBatches } from './keepings.ts';
import type { KeptBatch, ToKeep } from './kept-deliveries.ts';
import { processTime } from './process-time.ts';
import type { Slots } from './slots.ts';

/** What the thread is told once. */
export interface KeepAliveData {
  readonly bus: Omit<BusOptions, 'log'>;
  readonly worker: Omit<WorkerEvent, 'kind' | 'state' | 'held' | 'at'>;
  readonly memory: SharedArrayBuffer;
  readonly ackWaitMs: number;
  readonly graceMs: number;
  readonly leaseTtlMs: number;
  readonly lease: SharedArrayBuffer;
}

/** What a worker says of itself that may change. */
export type ToldShape = Pick<WorkerEvent, 'queues' | 'concurrency' | 'draining'>;

/** What the thread is told as it goes on. */
export type ToThread =
  | 'stop'
  /** A lease is wanted. */
  | 'lease'
  | { readonly shape: ToldShape; readonly turn: number }
  | {
      readonly hold: readonly KeptBatch[];
      /** Keys of deliveries that are held no more. */
      readonly release: Float64Array;
    };

/** What the thread tells. */
export type FromThread =
  | 'ready'
  | 'stopped'
  | { readonly lease: string | undefined }
  /** What was told in this turn is stored, or could not be. */
  | { readonly turn: number; readonly stored: boolean };

/** The main thread's side of the keep-alive thread. */
export interface KeepAlive {
  /** From now on these deliveries are extended. Returns the key of the first; the others follow. */
  hold(deliveries: readonly ToKeep[]): number;
  /** The delivery with this key is settled or given back. */
  release(key: number): void;
  /** Under which this worker holds slots. */
  readonly lease: WorkerLease;
  /** The worker says this of itself from now on. Resolves with whether it is stored that it does, within 1.5 s. */
  reshape(shape: ToldShape): Promise<boolean>;
  stop(): Promise<void>;
}

/** How often the event loop says that it turns, milliseconds. */
const BEAT_MS = 50;
/** Releases are told together; a late one only extends a delivery that is gone. */
const RELEASE_MS = 20;
/** Memory of the thread for what is new. */
const YOUNG_MB = 12;
const START_MS = 15_000;
const STOP_MS = 4_000;
const SAY_MS = 1_500;

/**
 * Starts the thread and waits until it has said that the worker lives, at most 15 s.
 * @param params.onDeath called when the thread dies by itself: a worker without it must not go on
 */
export async function startKeepAlive(params: {
  data: Omit<KeepAliveData, 'memory' | 'lease'>;
  slots: Slots;
  onDeath: (error: Error) => void;
  /** It has not stopped in time, and is ended. */
  onLate: (error: Error) => void;
}): Promise<KeepAlive> {
  const { slots, onDeath, onLate } = params;
  const leased = new LeaseMemory({ ttlMs: params.data.leaseTtlMs });
  const workerData: KeepAliveData = { ...params.data, memory: slots.memory, lease: leased.memory };
  slots.beat(processTime());
  const thread = new Worker(new URL('./keep-alive-thread.ts', import.meta.url), {
    workerData,
    name: 'keep-alive',
    // What it is told lives for moments; V8 would let it take 128 MB for that.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const lease = createWorkerLease(leased, () => thread.postMessage('lease' satisfies ToThread));
  thread.on('message', (message: FromThread) => {
    if (typeof message !== 'object') return;
    if ('lease' in message) return lease.told(message.lease);
    turns.get(message.turn)?.(message.stored);
    turns.delete(message.turn);
  });
  /** Who waits for what was told to be stored. */
  const turns = new Map<number, (stored: boolean) => void>();
  let turnsTaken = 0;
  let stopping = false;
  const died = new Promise<never>((_, reject) => {
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the keep-alive thread ended by itself (code ${code})`)));
  });
  died.catch((error: Error) => stopping || onDeath(error));
  await within(START_MS, 'the keep-alive thread did not start', Promise.race([once(thread, 'ready'), died]));

  const beat = setInterval(() => slots.beat(processTime()), BEAT_MS);
  let next = 0;
  let released: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const tell = (hold: readonly KeptBatch[]) => {
    clearTimeout(timer);
    timer = undefined;
    const release = Float64Array.from(released);
    released = [];
    thread.postMessage({ hold, release } satisfies ToThread);
  };
  return {
    lease,
    hold(deliveries) {
      const batches = toBatches(deliveries, next);
      next += batches.length;
      if (batches.length > 0) tell(batches.map(({ batch }) => batch));
      return batches[0]?.key ?? 0;
    },
    release(key) {
      released.push(key);
      timer ??= setTimeout(() => tell([]), RELEASE_MS);
    },
    reshape(shape) {
      const turn = turnsTaken++;
      const stored = new Promise<boolean>((resolve) => turns.set(turn, resolve));
      thread.postMessage({ shape, turn } satisfies ToThread);
      return within(SAY_MS, 'the worker could not say what it does', stored).catch(() => {
        turns.delete(turn);
        return false;
      });
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      clearInterval(beat);
      tell([]);
      const exit = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
      thread.postMessage('stop' satisfies ToThread);
      await within(STOP_MS, 'the keep-alive thread did not stop', exit).catch(async (err: Error) => {
        onLate(err);
        await thread.terminate();
      });
    },
  };
}

function once(thread: Worker, word: string): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (message !== word) return;
      thread.off('message', listen);
      resolve();
    };
    thread.on('message', listen);
  });
}

async function within<T>(ms: number, message: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${ms} ms`)), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
