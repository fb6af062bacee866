import type { Call, JobEnvelope, Policy, Progress, SettingsInput, StoredError } from '@jetbeat/core';
import type { StoredChild } from '../child-calls.ts';
import type { TaskLog } from '../context.ts';
import type { Execution } from '../execution.ts';
import type { TaskSource } from './task-source.ts';

/** One attempt, as a box is told of it. All of it is plain JSON. */
export interface RunMessage {
  readonly kind: 'run';
  readonly runId: string;
  readonly job: JobEnvelope;
  readonly policy: Policy;
  readonly source: TaskSource;
  /** Where tracing is on: the span inside of which it runs, as a `traceparent`. */
  readonly trace?: string;
}

/** What the configuration says of tasks, as it is written there; for what handlers enqueue. */
export interface WrittenSettings {
  readonly settings: SettingsInput;
  /** Where it stands, for messages. */
  readonly file: string | undefined;
}

/** What a box is told. */
export type ToBox =
  | ({ readonly kind: 'settings' } & WrittenSettings)
  | RunMessage
  /** Spans are made, with the module of this URL. */
  | { readonly kind: 'tracing'; readonly module: string }
  /** Abort the run's signal: the job was cancelled, or has to be given back. */
  | { readonly kind: 'abort'; readonly runId: string; readonly cancel: boolean; readonly message: string }
  /** The answer to an `enqueue`. */
  | {
      readonly kind: 'enqueued';
      readonly call: number;
      readonly child?: StoredChild;
      readonly error?: StoredError;
    }
  /** Modules that will be needed. */
  | { readonly kind: 'load'; readonly sources: readonly TaskSource[] }
  /** Nothing runs, and nothing will. */
  | { readonly kind: 'close' };

/** What a box says. */
export type FromBox =
  | { readonly kind: 'ready' }
  /** The task is there: the handler begins, and its time. `at`: Unix milliseconds. */
  | { readonly kind: 'began'; readonly runId: string; readonly at: number }
  /** `memory`: resident bytes of its process. */
  | {
      readonly kind: 'done';
      readonly runId: string;
      readonly execution: Execution;
      readonly memory?: number;
    }
  /** `trace`: the span inside of which it was called, as a `traceparent`. */
  | {
      readonly kind: 'enqueue';
      readonly runId: string;
      readonly call: number;
      readonly child: Call;
      readonly trace?: string;
    }
  | { readonly kind: 'spans'; readonly runId: string; readonly sent: unknown }
  | ({ readonly kind: 'log'; readonly runId: string } & LogEntry)
  | { readonly kind: 'progress'; readonly runId: string; readonly progress: Progress }
  | { readonly kind: 'memory'; readonly bytes: number }
  /** An error that nobody caught; the box ends. */
  | { readonly kind: 'fatal'; readonly error: StoredError };

/** One line of a handler's log. */
export interface LogEntry {
  readonly level: keyof TaskLog;
  readonly fields: object;
  readonly message: string;
}
