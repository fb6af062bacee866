import { formatDuration, JetbeatError, type TimeLimits } from '@jetbeat/core';
import type { Clock } from './clock.ts';

/** Why `ctx.signal` aborts at the soft time limit. */
export class SoftTimeLimitError extends JetbeatError {
  constructor(limit: number) {
    super('soft_time_limit', `the soft time limit of ${formatDuration(limit)} has passed`);
  }
}

/** Why an attempt ends at the hard time limit. */
export class HardTimeLimitError extends JetbeatError {
  constructor(limit: number) {
    super('hard_time_limit', `the hard time limit of ${formatDuration(limit)} has passed`);
  }
}

/** The time limits of one attempt, running. */
export interface Limits {
  /** Aborts at the first of: soft limit, hard limit, the signal from outside. */
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly deadline: number;
  /** Resolves when the hard limit has passed. */
  readonly passed: Promise<void>;
  /** Whether the hard limit has passed by the clock, also when a blocked event loop has kept the timer from firing. */
  isOver(): boolean;
  stop(): void;
}

/** Starts the clock of one attempt. */
export function startLimits(params: {
  readonly timeout: TimeLimits;
  readonly clock: Clock;
  readonly outside?: AbortSignal | undefined;
}): Limits {
  const { clock, outside } = params;
  const { soft, hard } = params.timeout;
  const begun = clock.elapsed();
  let fired = false;
  const controller = new AbortController();
  const passed = Promise.withResolvers<void>();
  const stops = [
    clock.after(hard, () => {
      fired = true;
      controller.abort(new HardTimeLimitError(hard));
      passed.resolve();
    }),
  ];
  if (soft !== undefined) stops.push(clock.after(soft, () => controller.abort(new SoftTimeLimitError(soft))));
  if (outside) {
    const forward = () => controller.abort(outside.reason);
    if (outside.aborted) forward();
    outside.addEventListener('abort', forward, { once: true });
    stops.push(() => outside.removeEventListener('abort', forward));
  }
  return {
    signal: controller.signal,
    deadline: clock.now() + hard,
    passed: passed.promise,
    isOver: () => fired || clock.elapsed() - begun >= hard,
    stop() {
      for (const stop of stops) stop();
    },
  };
}
