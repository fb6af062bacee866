import type { Bus, CancelledKeys, EventPublisher } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { Task } from '@jetbeat/task';
import type { AttemptTraceParams } from './attempt-trace.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { SettledMarks } from './settled-marks.ts';
import type { Slots } from './slots.ts';
import type { WorkerTimes } from './times.ts';

/** What a worker is composed of. */
export interface WorkerParams {
  readonly id: string;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly cancelled: CancelledKeys;
  readonly marks: SettledMarks;
  readonly slots: Slots;
  readonly keepAlive: KeepAlive;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly times: WorkerTimes;
  readonly log: Log;
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly ackWaitMs: number;
  /** Present where tracing is on. */
  readonly traces?: AttemptTraceParams | undefined;
  /** Makes streams and consumers that are missing. */
  readonly topology: () => Promise<void>;
}
