import { randomBytes } from 'node:crypto';
import {
  type Call,
  DEFAULT_QUEUE,
  FIRST_POSITION,
  type InputOf,
  type JobEnvelope,
  type PolicyOverrides,
  type Progress,
  resolvePolicy,
  uuidV7,
} from '@jetbeat/core';
import type { Clock } from './clock.ts';
import type { TaskLog } from './context.ts';
import { execute } from './execute.ts';
import type { Execution } from './execution.ts';
import { Interrupt } from './interrupt.ts';
import type { Task } from './task.ts';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves the time on by `ms` and calls what falls due, in order. */
  advance(ms: number): void;
}

/** A clock at 2026-01-01T00:00:00Z, or at `start` (Unix milliseconds). */
export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  let now = start;
  return {
    now: () => now,
    elapsed: () => now - start,
    after(ms, fn) {
      const timer = { at: now + ms, fn };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const until = now + ms;
      const next = () => [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      for (let timer = next(); timer; timer = next()) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.fn();
      }
      now = until;
    },
  };
}

/** How one attempt in a test ended, and what it did on the way. */
export interface TaskRun extends Execution {
  /** What the handler enqueued. */
  readonly enqueued: readonly Call[];
  /** What it said of its progress. */
  readonly told: readonly Progress[];
  /** What it logged. */
  readonly logged: readonly {
    readonly level: keyof TaskLog;
    readonly fields: object;
    readonly message: string;
  }[];
}

/**
 * Makes one attempt of a task as a worker does, without servers. Its clock stands still unless one is given, so time
 * limits pass only when the test moves it.
 */
export async function runTask<Input, Result>(
  task: Task<Input, Result>,
  input: InputOf<Task<Input, Result>>,
  options: {
    /** From 1. */
    readonly attempt?: number;
    readonly meta?: Readonly<Record<string, string>>;
    readonly schedule?: { readonly name: string; readonly nominalTime: Date };
    readonly policy?: PolicyOverrides;
    readonly signal?: AbortSignal;
    readonly clock?: Clock;
  } = {},
): Promise<TaskRun> {
  const clock = options.clock ?? manualClock();
  const now = clock.now();
  const enqueued: Call[] = [];
  const told: Progress[] = [];
  const logged: TaskRun['logged'][number][] = [];
  const { schedule } = options;
  const job: JobEnvelope = {
    v: 1,
    id: uuidV7(now, randomBytes(10)),
    task: task.name,
    queue: task.queue ?? DEFAULT_QUEUE,
    priority: task.priority ?? 'normal',
    input,
    ...(options.meta === undefined ? {} : { meta: options.meta }),
    createdAt: now,
    runAt: now,
    ...FIRST_POSITION,
    attempt: options.attempt ?? 1,
    run: options.attempt ?? 1,
    ...(schedule
      ? {
          schedule: {
            id: 'test',
            name: schedule.name,
            nominalTime: schedule.nominalTime.getTime(),
            origin: 'plan',
          },
        }
      : {}),
  };
  const interrupt = new Interrupt();
  const forward = () => interrupt.abort(options.signal?.reason);
  if (options.signal?.aborted) forward();
  options.signal?.addEventListener('abort', forward, { once: true });
  const execution = await execute({
    task,
    job,
    runId: uuidV7(now, randomBytes(10)),
    policy: resolvePolicy(options.policy, task.policy),
    log: () => recordingLog((entry) => logged.push(entry)),
    enqueue: async (call) => {
      enqueued.push(call);
      return { id: call.envelope.id, created: true };
    },
    progress: (progress) => told.push(progress),
    clock,
    interrupt,
  });
  options.signal?.removeEventListener('abort', forward);
  return { ...execution, enqueued, told, logged };
}

function recordingLog(record: (entry: TaskRun['logged'][number]) => void): TaskLog {
  const line =
    (level: keyof TaskLog) =>
    (first: object | string, message = '') =>
      record(
        typeof first === 'string' ? { level, fields: {}, message: first } : { level, fields: first, message },
      );
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
