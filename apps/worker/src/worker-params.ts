import type { Settings } from '@jetbeat/core';
import type {
  Bus,
  CancelledKeys,
  EventPublisher,
  QueueSettingsWatch,
  TaskSettingsWatch,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { IsolatedRuns, Task, TaskSource } from '@jetbeat/task';
import type { BuiltInTasks } from '@jetbeat/tasks';
import type { SettledMarks } from './doubts/settled-marks.ts';
import type { CallBack } from './ends/call-back.ts';
import type { KeepAlive } from './keep-alive/keep-alive.ts';
import type { Slots } from './keep-alive/slots.ts';
import type { AttemptTraceParams } from './running/attempt-trace.ts';
import type { Shape } from './shape.ts';
import type { WorkerTimes } from './times.ts';

/** What a test may wrap, e.g. to end the process between an end and what follows it. */
export interface WorkerPorts {
  readonly callBack?: (real: CallBack['make']) => CallBack['make'];
}

/** What a worker is composed of. */
export interface WorkerParams {
  readonly id: string;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly cancelled: CancelledKeys;
  /** What holds for queues now; loaded. */
  readonly queueSettings: QueueSettingsWatch;
  /** What was said of tasks at run time; loaded. */
  readonly taskSettings: TaskSettingsWatch;
  readonly marks: SettledMarks;
  readonly slots: Slots;
  readonly keepAlive: KeepAlive;
  readonly tasks: ReadonlyMap<string, Task>;
  /** Where threads and child processes find them again. */
  readonly sources: ReadonlyMap<string, TaskSource>;
  readonly runs: IsolatedRuns;
  /** What the built-in tasks run in processes of others. */
  readonly commands: Pick<BuiltInTasks, 'graceOf' | 'killCommands'>;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  readonly times: WorkerTimes;
  readonly ports?: WorkerPorts | undefined;
  readonly log: Log;
  /** What it serves, and how much at once. */
  readonly shape: Shape;
  readonly ackWaitMs: number;
  /** Present where tracing is on. */
  readonly traces?: AttemptTraceParams | undefined;
  /** Makes streams and consumers that are missing; those of other queues too. */
  readonly topology: (more?: readonly string[]) => Promise<void>;
  /** Somebody has told it to end. */
  readonly onStop: () => void;
  /** Only its end frees what it holds; why. */
  readonly onStuck: (why: Error) => void;
}
